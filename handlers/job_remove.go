package handlers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/balerhq/baler/tasks"
)

// CodeSameFile says that a copy is the file itself, by another path.
const CodeSameFile = "same-file"

// RemoveSource removes the job's file, of which Create has made a copy. before describes the
// file as it was when it was copied. The file stays when it is another one or has changed
// since, when the copy is not there any more, or is the same file by another path. Because
// sources are only read otherwise, the file must lie below a folder that the worker may
// write (BALER_OUTPUTS). An error that is returned as it is ends the file rightly.
func (j *Job) RemoveSource(copied Created, before os.FileInfo) error {
	if tasks.IsObject(j.spec.File.Path) {
		return Fail(CodeBadArgs, fmt.Errorf("%s is copied, and stays: objects are not removed; use the handler copy", j.spec.File.Path))
	}
	path := filepath.Clean(j.spec.File.Path)
	root, name, err := j.spec.Outputs.holder(path)
	if err != nil {
		return err
	}
	defer root.Close() // nothing was written through it
	now, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Fail(CodeNotFound, fmt.Errorf("%s is gone since it was copied: %w", path, err))
	}
	if err != nil {
		return RetryLater(CodeIO, fmt.Errorf("look at %s before it is removed: %w", path, err))
	}
	if !os.SameFile(now, before) || now.Size() != before.Size() || !now.ModTime().Equal(before.ModTime()) {
		return RetryLater(CodeChangedWhileReading, fmt.Errorf("%s has changed since it was copied; it stays", path))
	}
	there, err := j.spec.Outputs.stat(copied.Path)
	if err != nil {
		return RetryLater(CodeIO, fmt.Errorf("look at the copy of %s before it is removed: %w", path, err))
	}
	if os.SameFile(there, now) {
		return Fail(CodeSameFile, fmt.Errorf("%s is the same file as %s, by another path or a hard link; it stays", copied.Path, path))
	}
	if there.Size() != copied.Size {
		return RetryLater(CodeIO, fmt.Errorf("the copy %s has %d bytes, not %d; %s stays", copied.Path, there.Size(), copied.Size, path))
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		if errors.Is(err, fs.ErrPermission) {
			return Fail(CodeNotPermitted, fmt.Errorf("%s is copied to %s, and cannot be removed: %w", path, copied.Path, err))
		}
		return RetryLater(CodeIO, fmt.Errorf("remove %s: %w", path, err))
	}
	return nil
}

// holder opens the folder that holds a path and that may be written, or one above it.
func (o OutputRoots) holder(path string) (root *os.Root, name string, err error) {
	dir, ok := filepath.Dir(path), o.anywhere
	if !o.anywhere {
		dir, ok = longestAllowed(dir, func(dir string) bool { return o.dirs[dir] })
	}
	if !ok {
		return nil, "", Fail(CodeOutsideOutputs, fmt.Errorf(
			"may not remove %s: add its folder to BALER_OUTPUTS, the folders that this worker may write", path))
	}
	if root, err = os.OpenRoot(dir); err != nil {
		return nil, "", RetryLater(CodeIO, fmt.Errorf("open the folder of %s: %w", path, err))
	}
	return root, relative(dir, path), nil
}

// Created describes a file that an earlier attempt of a job has put in place with Create, as
// far as Size and Path go: a regular file below a folder that may be written.
func (j *Job) Created(path string) (f ReadableFile, created Created, err error) {
	if !tasks.IsObject(path) && !filepath.IsAbs(path) && j.spec.Outputs.relative != "" {
		path = filepath.Join(j.spec.Outputs.relative, path)
	}
	f, err = j.spec.Outputs.openWritten(path)
	if err != nil {
		return nil, created, openVerdict(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, created, errors.Join(RetryLater(CodeIO, err), f.Close())
	}
	if !tasks.IsObject(path) {
		path = filepath.Clean(path)
	}
	return f, Created{Path: path, Size: info.Size()}, nil
}
