package handlers

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler/internal/invoke"
)

// PerFileOption adjusts PerFile.
type PerFileOption func(*perFile)

// Parallel makes PerFile process n files of a batch at a time; n ≤ 0 means
// GOMAXPROCS. Without it, PerFile processes one file after another.
func Parallel(n int) PerFileOption {
	return func(p *perFile) {
		if n <= 0 {
			n = runtime.GOMAXPROCS(0)
		}
		p.parallel = n
	}
}

// PerFile makes a Handler from a function that processes one file. Each job is done
// as soon as the function returns. Nil ends the job with the verdict that it was
// given, or as succeeded; an error of Fail, RetryLater, Warn or Skip ends it with
// that verdict; any other error, or a panic, ends it as tasks.OutcomeError. Other
// jobs of the batch are not affected.
//
// A job that takes longer than its Timeout ends as timed out; the time of each begins when
// its function is called. A function that ignores the end of its context is left running,
// and the next job begins.
//
// When ctx ends, no further job starts, and a job whose function returns the
// context's error runs again later. When ctx is canceled because the worker stops,
// that holds for any error that is neither a verdict nor a panic.
func PerFile(fn func(ctx context.Context, job *Job) error, opts ...PerFileOption) Handler {
	p := &perFile{fn: fn, parallel: 1}
	for _, opt := range opts {
		opt(p)
	}
	return p
}

type perFile struct {
	fn       func(context.Context, *Job) error
	parallel int
	stall    time.Duration // see StallLimit; 0 for none
	stuck    atomic.Int64  // goroutines of jobs that were given up
}

// Handle runs the function over the jobs and returns when all its goroutines have ended,
// but for those whose jobs have stalled.
func (p *perFile) Handle(ctx context.Context, jobs []*Job) error {
	var next atomic.Int64
	var all *lanes
	start := func() {
		all.waited.Add(1)
		go func() {
			of := &lane{}
			defer all.leave(of)
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(jobs) {
					return
				}
				all.begin(of, jobs[i])
				p.runJob(ctx, jobs[i])
				if !all.end(of) {
					return
				}
			}
		}()
	}
	all = newLanes(p, start)
	for range min(p.parallel, len(jobs)) {
		start()
	}
	all.wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	if int(next.Load()) < len(jobs) { // the function ended every goroutine with runtime.Goexit
		return invoke.ErrGoexit
	}
	return nil
}

// runJob runs the function for one job and ends the job.
func (p *perFile) runJob(ctx context.Context, job *Job) {
	job.Start()
	if job.Timeout() > 0 {
		p.runTimed(ctx, job)
		return
	}
	err := invoke.ErrGoexit
	defer func() {
		if r := recover(); r != nil {
			err = invoke.NewPanicError(r)
		}
		endJob(ctx, job, err)
	}()
	err = p.fn(ctx, job)
}

func endJob(ctx context.Context, job *Job, err error) {
	switch {
	case err == nil:
		job.Done()
	case !Interrupted(ctx, err):
		job.Finish(err)
	}
}
