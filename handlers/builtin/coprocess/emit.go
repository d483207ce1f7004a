package coprocess

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/balerhq/baler/handlers"
)

// emissions are the folders of jobs, and the files that a child has emitted for jobs without
// an answer yet. What a child says of a job that another one answers does not count.
type emissions map[*handlers.Job]*emitted

type emitted struct {
	folder *handlers.FileFolder // nil: the step does not emit
	files  []emittedFile
	named  map[string]int // their indexes by name
	clash  error          // two files have one name
}

type emittedFile struct{ path, name string }

// folders makes the folders of jobs whose step has emit. It ends jobs that can have none, and
// returns the others.
func (e emissions) folders(ctx context.Context, jobs []*handlers.Job) (open []*handlers.Job) {
	for _, job := range jobs {
		s, _ := parse(job.Args()) // it was read before
		of := &emitted{named: make(map[string]int)}
		if s.Emit != "" {
			var err error
			if of.folder, err = job.MakeFolder(ctx, s.Emit); err != nil {
				job.Finish(err)
				continue
			}
		}
		e[job] = of
		open = append(open, job)
	}
	return open
}

// of is the folder of a job; empty when it has none.
func (e emissions) of(job *handlers.Job) string {
	if of := e[job]; of != nil && of.folder != nil {
		return of.folder.Path
	}
	return ""
}

// add notes a file. The same file may come again; another one under its name would be lost.
func (e emissions) add(job *handlers.Job, m *message) {
	of := e[job]
	file := emittedFile{path: cmp.Or(string(m.PathBytes), m.Path), name: cmp.Or(string(m.NameBytes), m.Name)}
	if file.name == "" && of.folder != nil {
		if rel, err := filepath.Rel(of.folder.Path, file.path); err == nil {
			file.name = rel
		}
	}
	if i, known := of.named[file.name]; known {
		if first := of.files[i].path; first != file.path && of.clash == nil {
			of.clash = fmt.Errorf("emit %q: both %q and %q have this name; give each file a name of its own", file.name, first, file.path)
		}
		return
	}
	if len(of.files) <= handlers.MaxEmitted { // one more is an error of the job
		of.named[file.name] = len(of.files)
		of.files = append(of.files, file)
	}
}

// emit makes the noted files of a job files of the transfer.
func (e emissions) emit(job *handlers.Job) error {
	of := e[job]
	switch {
	case len(of.files) == 0:
		return nil
	case of.folder == nil:
		return handlers.Fail(CodeBadEmit, fmt.Errorf(
			"emit %q: the step has no folder for it; set emit to an absolute path, and write into the folder of the job", of.files[0].path))
	case of.clash != nil:
		return handlers.Fail(CodeBadEmit, of.clash)
	}
	for _, file := range of.files {
		if err := of.folder.Emit(file.path, file.name); err != nil {
			return handlers.Fail(CodeBadEmit, err)
		}
	}
	return nil
}

// close lets go of the folders, and removes those of which nothing was emitted.
func (e emissions) close() error {
	var errs []error
	for _, of := range e {
		if of.folder != nil {
			errs = append(errs, of.folder.Close())
		}
	}
	return errors.Join(errs...)
}
