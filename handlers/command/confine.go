package command

import (
	"context"
	"slices"
	"strings"

	"github.com/balerhq/baler/handlers"
)

// confine opens the job's file, as Job.Open does, when the program is told its path:
// a file outside the folders that may be read, or one that is no file any more, is an
// error before the program starts.
//
// An object is copied to this host, and the program is told the path of the copy. The caller
// calls done when the program has ended.
func (p Program) confine(ctx context.Context, job *handlers.Job) (confined Program, done func(), err error) {
	path := job.File().Path
	named := func(s string) bool { return path != "" && strings.Contains(s, path) }
	if !slices.ContainsFunc(p.Args, named) && !slices.ContainsFunc(p.Env, named) {
		return p, func() {}, nil
	}
	if done, err = job.CopyLocally(ctx); err != nil {
		return p, nil, err
	}
	p.Args, p.Env = job.Localize(p.Args), job.Localize(p.Env)
	return p, done, nil
}
