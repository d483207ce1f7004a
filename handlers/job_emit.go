package handlers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// EmittedFile is a file that a handler has made of its job's file, see Job.Emit.
type EmittedFile struct {
	// Path is where it is: absolute, or that of an object, below Base, as Created has it.
	Path string

	// Name tells it from the other files that come from the same file, such as the name of a
	// member of an archive. It holds no NUL.
	Name string

	// Base is the folder, or the prefix in object storage, to which the path is relative that
	// stands for the file in Job.RelativePath: the one that the recipe chose for what the
	// handler writes.
	Base string
}

// MaxEmitted is how many files one job can emit.
const MaxEmitted = 1_000_000

// maxEmittedName and maxEmittedPath are what the database keeps.
const (
	maxEmittedName = 4096
	maxEmittedPath = 4096
)

// Errors of Emit.
var (
	ErrTooManyEmitted = fmt.Errorf("a job can emit %d files", MaxEmitted)
	ErrEmittedName    = errors.New("the name of an emitted file must have 1 to 4096 bytes and no NUL")
	ErrEmittedPath    = errors.New("the path of an emitted file must be absolute, have at most 4096 bytes and no NUL, and lie below its base")
)

// Emit makes a file that the handler has written, with Create, another file of the
// transfer. It is registered together with the job's result, whatever the outcome is, and
// only when the result is final: a failed attempt that is retried emits nothing. A handler
// that runs again for the same file emits each name once; under a name that had other
// content before, the file becomes a further one. The file starts at the step that the
// recipe's emit_from names.
//
// Size and modification time are read now. The file must be a regular one, or an object, where
// the worker may write.
func (j *Job) Emit(f EmittedFile) error {
	switch {
	case f.Name == "" || len(f.Name) > maxEmittedName || strings.ContainsRune(f.Name, 0):
		return fmt.Errorf("emit %.100q: %w", f.Name, ErrEmittedName)
	case len(f.Path) > maxEmittedPath || strings.ContainsRune(f.Path, 0) || !f.isWhole() || f.Path == f.Base || !isIn(f.base(), f.Path):
		return fmt.Errorf("emit %.100q at %.200q: %w", f.Name, f.Path, ErrEmittedPath)
	}
	info, err := j.spec.Outputs.stat(f.Path)
	if err != nil {
		return fmt.Errorf("emit %q: %w", f.Name, err)
	}
	file := tasks.File{Path: f.Path, Size: info.Size(), MTime: info.ModTime(), Emitted: j.emission(&f)}
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.done:
		return ErrDone
	case len(j.emitted) >= MaxEmitted:
		return fmt.Errorf("emit %q: %w", f.Name, ErrTooManyEmitted)
	}
	j.emitted = append(j.emitted, file)
	return nil
}

// isWhole reports whether the path and its base are absolute and written in their only way, or
// both those of objects.
func (f *EmittedFile) isWhole() bool {
	if tasks.IsObject(f.Path) {
		return tasks.IsObject(f.Base)
	}
	return filepath.IsAbs(f.Path) && filepath.Clean(f.Path) == f.Path && filepath.IsAbs(f.Base)
}

func (f *EmittedFile) base() string {
	if tasks.IsObject(f.Base) {
		return strings.TrimSuffix(f.Base, "/")
	}
	return filepath.Clean(f.Base)
}

// emission says what an emitted file was made from.
func (j *Job) emission(f *EmittedFile) *tasks.Emission {
	of := &j.spec.File
	e := &tasks.Emission{Parent: of.No, Top: of.No, Depth: 1, Step: j.spec.Step, Name: f.Name, Base: f.base()}
	if of.Emitted != nil {
		e.Top, e.Depth = of.Emitted.Top, of.Emitted.Depth+1
	}
	return e
}

// Depth is how many emissions the job's file is away from the sources: 0 for a file from
// the sources, 1 for one that was made from such a file.
func (j *Job) Depth() int {
	if e := j.spec.File.Emitted; e != nil {
		return e.Depth
	}
	return 0
}

// EmittedTotal is how much has been made of one file from the sources.
type EmittedTotal struct {
	Files, Bytes int64
	TopSize      int64 // of the file from the sources
}

// EmittedBefore counts the files that other jobs have emitted so far from the same file of
// the sources, so that a handler can apply limits to all of them together. Files that this
// job's file emitted in an earlier run do not count.
func (j *Job) EmittedBefore(ctx context.Context) (EmittedTotal, error) {
	if j.Depth() == 0 || j.spec.EmittedBefore == nil {
		return EmittedTotal{TopSize: j.spec.File.Size}, nil
	}
	return j.spec.EmittedBefore(ctx, &j.spec.File)
}

// stat describes a regular file, or an object, that may be written.
func (o OutputRoots) stat(path string) (os.FileInfo, error) {
	f, err := o.openWritten(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only described
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", path, err)
	}
	return info, nil
}
