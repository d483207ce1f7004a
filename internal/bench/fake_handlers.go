package bench

import (
	"context"
	"errors"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/sleep"
)

// pretend is the name of a handler that only lets time pass.
const pretend = "pretend"

// FakeHandlers are the built-in ones, and one that takes its time as its arguments
// say: so long a file (per_file) and so long a mebibyte (per_mib). Workers that
// are measured with it have them.
func FakeHandlers() (*handlers.Registry, error) {
	r := builtin.Registry()
	return r, r.Register(pretend, handlers.HandlerFunc(letPass), handlers.WithDescription("lets time pass, for bench makespan"))
}

// fakeHandler is how long a file takes.
type fakeHandler struct {
	PerFile string `json:"per_file"`
	PerMiB  string `json:"per_mib"`

	file, mib time.Duration
}

func (p *fakeHandler) parse() (err error) {
	var errMiB error
	p.file, err = time.ParseDuration(p.PerFile)
	p.mib, errMiB = time.ParseDuration(p.PerMiB)
	return errors.Join(err, errMiB)
}

func (p *fakeHandler) of(bytes int64) time.Duration {
	return p.file + time.Duration(float64(p.mib)*float64(bytes)/(1<<20))
}

// letPass ends each job when its time is over, counted from the begin of the
// batch: what one sleeps too long, the next sleeps less.
func letPass(ctx context.Context, jobs []*handlers.Job) error {
	due := time.Now()
	for _, j := range jobs {
		var p fakeHandler
		if err := errors.Join(j.DecodeArgs(&p), p.parse()); err != nil {
			return err
		}
		due = due.Add(p.of(j.File().Size))
		if err := sleep.For(ctx, time.Until(due)); err != nil {
			return err
		}
		j.Done()
	}
	return nil
}
