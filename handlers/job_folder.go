package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/balerhq/baler/tasks"
)

// FileFolder is a folder for what one job writes, see Job.MakeFolder.
type FileFolder struct {
	Path string // absolute
	Base string // the folder that MakeFolder was given, absolute

	job     *Job
	root    *os.Root
	name    string // below root
	mark    string // beside the folder; below root
	own     *folderMark
	emitted bool
}

// folderSuffix is what the folder of a file adds to the file's name.
const folderSuffix = ".files"

// maxFolderNumber ends the search for a free name.
const maxFolderNumber = 10_000

// MakeFolder makes a folder for what a program writes for the job's file:
// base/PATH.files, where PATH is the file's RelativePath. A folder that is there already is
// left alone: then the name gets a number, as in PATH.files-2. A folder that an earlier attempt
// of the same job has left, because its worker was killed, is removed, unless files
// in it are files of the transfer. Its name is not used again: what is left of that attempt may
// still write there. The folder of an attempt that still runs, because its worker is only slow,
// stays: that worker removes it when the result of another attempt counts. So no two jobs and no
// two attempts write into the same folder. base must
// lie below a folder that the worker may write, and in no source. The caller closes the folder.
func (j *Job) MakeFolder(ctx context.Context, base string) (*FileFolder, error) {
	if tasks.IsObject(base) {
		return nil, Fail(CodeBadArgs, fmt.Errorf("%s is in object storage, where programs cannot write: name a folder", base))
	}
	p, err := j.spec.Outputs.at(j.folderPath(base))
	if err != nil {
		return nil, err
	}
	f := &FileFolder{Path: p.path, Base: filepath.Clean(base), job: j, root: p.root, name: p.name}
	if !filepath.IsAbs(base) {
		f.Base = filepath.Join(j.spec.Outputs.relative, base)
	}
	if err := j.outsideSources(f.Path); err != nil {
		return nil, errors.Join(err, p.root.Close())
	}
	for n := 1; ; n++ {
		f.number(p, n)
		used, err := f.sweep(ctx)
		if err == nil && !used {
			if err = p.root.Mkdir(f.name, 0o755); err == nil {
				err = f.marked()
			}
			if err == nil {
				return f, nil
			}
		}
		if err != nil && !errors.Is(err, fs.ErrExist) || n >= maxFolderNumber {
			return nil, errors.Join(WriteFailure(f.Path, cmp.Or(err, fs.ErrExist)), p.root.Close())
		}
	}
}

// folderPath is the path of the first folder that the job can have below base.
func (j *Job) folderPath(base string) string {
	return filepath.Join(base, j.RelativePath()) + folderSuffix
}

// number makes f the nth folder that the job can have at a place.
func (f *FileFolder) number(p *destination, n int) {
	f.Path, f.name = p.path, p.name
	if n > 1 {
		number := fmt.Sprintf("-%d", n)
		f.Path, f.name = p.path+number, p.name+number
	}
	f.mark = p.beside(f.job.markName(n))
}

// Emit makes a file in the folder another file of the transfer, see Job.Emit. path is absolute,
// or relative to the folder. Without a name, it is that of the path relative to the folder.
func (f *FileFolder) Emit(path, name string) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(f.Path, path)
	}
	path = filepath.Clean(path)
	if path == f.Path || !isIn(f.Path, path) {
		return fmt.Errorf("emit %.200q: the file is not in %s, the folder that this file has for what it emits", path, f.Path)
	}
	if name == "" {
		name = relative(f.Path, path)
	}
	err := f.job.Emit(EmittedFile{Path: path, Name: name, Base: f.Base})
	f.emitted = f.emitted || err == nil
	return err
}

// Close lets go of the folder. It stays when a file in it was emitted, and is removed otherwise.
func (f *FileFolder) Close() error {
	var err error
	if !f.emitted {
		err = f.root.RemoveAll(f.name)
	}
	return errors.Join(err, f.closeMark(!f.emitted && err == nil), f.root.Close())
}

// outsideSources refuses a path that lies in a source of the transfer.
func (j *Job) outsideSources(path string) error {
	for _, source := range j.spec.Sources {
		if isIn(source, path) {
			return Fail(CodeOutputInSource, fmt.Errorf(
				"%s lies in the source %s: the next run would take it for a file to process", path, source))
		}
	}
	return nil
}
