package coprocess

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/balerhq/baler/handlers"
)

// emissions are the files that a child has emitted for jobs without an answer yet. What a
// child says of a job that another one answers does not count.
type emissions map[*handlers.Job]*emitted

type emitted struct {
	files []handlers.EmittedFile
	named map[string]int // their indexes by name
	clash error          // two files have one name
}

// add notes a file. The same file may come again; another one under its name would be lost.
func (e emissions) add(job *handlers.Job, m *message) {
	of := e[job]
	if of == nil {
		of = &emitted{named: make(map[string]int)}
		e[job] = of
	}
	path := cmp.Or(string(m.PathBytes), m.Path)
	file := handlers.EmittedFile{
		Path: path, Name: cmp.Or(string(m.NameBytes), m.Name, filepath.Base(path)), Base: cmp.Or(m.Base, filepath.Dir(path)),
	}
	if i, known := of.named[file.Name]; known {
		if first := of.files[i].Path; first != file.Path && of.clash == nil {
			of.clash = fmt.Errorf("emit %q: both %q and %q have this name; give each file a name of its own", file.Name, first, file.Path)
		}
		of.files[i] = file
		return
	}
	if len(of.files) <= handlers.MaxEmitted { // one more is an error of the job
		of.named[file.Name] = len(of.files)
		of.files = append(of.files, file)
	}
}

// emit makes the noted files of a job files of the transfer.
func (e emissions) emit(job *handlers.Job) error {
	of := e[job]
	if of == nil {
		return nil
	}
	if of.clash != nil {
		return handlers.Fail(CodeBadEmit, of.clash)
	}
	for _, file := range of.files {
		if err := job.Emit(file); err != nil {
			return handlers.Fail(CodeBadEmit, fmt.Errorf("%w; emit files below a folder that the worker may write", err))
		}
	}
	return nil
}
