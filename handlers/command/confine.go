package command

import (
	"slices"
	"strings"

	"github.com/balerhq/baler/handlers"
)

// confine opens the job's file, as Job.Open does, when the program is told its path:
// a file outside the folders that may be read, or one that is no file any more, is an
// error before the program starts.
func (p Program) confine(job *handlers.Job) error {
	path := job.File().Path
	named := func(s string) bool { return path != "" && strings.Contains(s, path) }
	if !slices.ContainsFunc(p.Args, named) && !slices.ContainsFunc(p.Env, named) {
		return nil
	}
	f, err := job.OpenChunk() // of a file that is not split this is the whole file
	if err != nil {
		return err
	}
	return f.Close()
}
