package bench

import (
	"context"
	"errors"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/sleep"
)

// pretend is the name of a handler that only sleeps.
const pretend = "pretend"

// FakeHandlers returns the built-in handlers and one that sleeps for a time per file
// (per_file) and per mebibyte (per_mib) from its arguments. The workers of some measurements
// have them.
func FakeHandlers() (*handlers.Registry, error) {
	r := builtin.Registry()
	return r, r.Register(pretend, handlers.HandlerFunc(letPass), handlers.WithDescription("lets time pass, for bench makespan"))
}

// fakeHandler has the time of a file.
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

// letPass ends each job when its time has passed, counted from the beginning of the batch,
// so that a job that sleeps too long shortens the next one.
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
