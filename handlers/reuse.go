package handlers

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// ReuseScope says what decides how a handler ends for a file, besides its arguments and,
// unless the handler is registered WithoutEarlierFacts, the facts of earlier steps. Only a
// handler that writes nothing and reads nothing else may have one but ReuseNever: a result
// of it may be taken over for the same file, or for another one with the same content.
type ReuseScope int

// The scopes.
const (
	ReuseNever    ReuseScope = iota // it writes files, or reads others, or its answer changes with time
	ReuseByName                     // the content and the extension of the file's name
	ReuseByDigest                   // the content alone
)

// WithReuse says that results of the handler can be taken over in steps with `reuse`, and
// what decides them. Change the version, any text, whenever the handler may end in another
// way for the same file: no result of another version is taken over.
func WithReuse(scope ReuseScope, version string) Option {
	return func(r *Registration) { r.Reuse, r.ReuseVersion = scope, version }
}

// WithReuseState adds to the version, for given arguments, the state of what the handler
// runs besides, such as the script of a step; ok is false when that cannot be told, and then
// nothing is taken over. dir is as in CommandAccess.
func WithReuseState(state func(args any, dir string) (text string, ok bool)) Option {
	return func(r *Registration) { r.ReuseState = state }
}

// TakeOver ends a job that is not done with the result of another job, whose handler then
// need not run. It reports whether the job was still open. It is for runners and tests.
func (j *Job) TakeOver(r *tasks.Result) bool {
	return j.end(func() {
		j.takenOver = r
		j.verdict.outcome = r.Outcome
	})
}

// Unchanged reports whether the file still has the size and modification time with which it
// was registered. It is for runners and tests.
func (j *Job) Unchanged() bool {
	of := &j.spec.File
	if of.MTime.IsZero() || of.Part > 0 {
		return false
	}
	f, err := j.spec.Opener.Open(of.Path)
	if err != nil {
		return false
	}
	defer f.Close() // only described
	info, err := f.Stat()
	return err == nil && info.Size() == of.Size &&
		info.ModTime().Truncate(time.Microsecond).Equal(of.MTime.Truncate(time.Microsecond))
}

// takenOverAs is the result that was taken over as that of this job.
func takenOverAs(r tasks.Result, from *tasks.Result) tasks.Result {
	r.Outcome, r.ExitCode, r.Code = from.Outcome, from.ExitCode, from.Code
	r.Output, r.Error, r.Truncated = from.Output, from.Error, from.Truncated
	r.Facts, r.Reused = from.Facts, from.Reused
	return r
}
