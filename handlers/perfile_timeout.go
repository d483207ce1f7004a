package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/tasks"
)

// runTimed runs the function for one job within its time limit.
func (p *perFile) runTimed(ctx context.Context, job *Job) {
	limit := job.Timeout()
	timed, cancel := context.WithTimeoutCause(ctx, limit, errFileTimeout)
	defer cancel()
	left, err := invoke.Wait(timed, invoke.Go(func() error { return p.fn(timed, job) }), cmp.Or(job.spec.Patience, invoke.DefaultPatience))
	if errors.Is(context.Cause(timed), errFileTimeout) && err != nil && Interrupted(timed, err) {
		err = timedOut(limit, left)
	}
	endJob(timed, job, err)
}

// errFileTimeout tells the end of a file's time from the end of its batch.
var errFileTimeout = errors.New("the time limit of the file has ended")

func timedOut(limit time.Duration, left bool) error {
	err := fmt.Errorf("this file took longer than its time limit of %s", limit)
	if left {
		err = fmt.Errorf("%w; the handler ignores the end of its context, and is left running", err)
	}
	return &Verdict{Outcome: tasks.OutcomeTimedOut, Code: CodeTimeout, Err: err}
}
