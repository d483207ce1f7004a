package handlers

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/balerhq/baler/tasks"
)

// Open opens a regular file for reading below a folder that may be written, where os.Root
// takes every step of the path. Its errors are those of Roots.
func (o OutputRoots) Open(path string) (*os.File, error) {
	clean := filepath.Clean(path)
	dir, ok := filepath.Dir(clean), o.anywhere
	if !o.anywhere {
		dir, ok = longestAllowed(dir, func(dir string) bool { return o.dirs[dir] })
	}
	if !ok || !filepath.IsAbs(clean) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: ErrOutsideRoots}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f, err := root.OpenFile(relative(dir, clean), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err = errors.Join(err, root.Close()); err != nil {
		if refusedByRoot(err) {
			err = &fs.PathError{Op: "open", Path: path, Err: ErrOutsideRoots}
		}
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotAFile}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// OpenerFor returns what opens the files for a job: opener, and for a file that a handler
// emitted also what lies below the folder, or the prefix, into which that one was written.
func OpenerFor(f *tasks.File, opener FileOpener, outputs OutputRoots) FileOpener {
	if f.Emitted == nil || f.Emitted.Base == "" {
		return opener
	}
	return emittedOpener{opener, outputs, f.Emitted.Base}
}

type emittedOpener struct {
	FileOpener

	outputs OutputRoots
	base    string
}

// Open implements FileOpener.
func (e emittedOpener) Open(path string) (ReadableFile, error) {
	if tasks.IsObject(path) && IsInObject(e.base, path) || !tasks.IsObject(path) && isIn(e.base, filepath.Clean(path)) {
		return e.outputs.openWritten(path)
	}
	return e.FileOpener.Open(path)
}
