package handlers

import (
	"context"
	"errors"

	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/tasks"
)

// errBatchTimedOut is the verdict of a file whose batch ran out of time.
var errBatchTimedOut = &Verdict{
	Outcome: tasks.OutcomeTimedOut, Code: CodeTimeout,
	Err: errors.New("the time limit of the batch ended before this file was finished"),
}

// Settle ends the jobs that are not done after Handle returned err, and returns
// those that must run again because ctx was canceled before their turn. It is for
// runners and tests.
func Settle(ctx context.Context, jobs []*Job, err error) (left []*Job) {
	for _, job := range jobs {
		if job.IsDone() {
			continue
		}
		switch endingOf(ctx.Err(), err != nil && !Interrupted(ctx, err), err == nil && job.decided()) {
		case endsAsIs:
			job.Done()
		case endsByError:
			job.Finish(err)
		case endsByTimeout:
			job.Finish(errBatchTimedOut)
		case endsElsewhere:
			left = append(left, job)
		}
	}
	return left
}

type ending int

const (
	endsAsIs ending = iota
	endsByError
	endsByTimeout
	endsElsewhere
)

// endingOf decides how a job ends that the handler left open. A handler that
// returns nil because its context ended leaves jobs that it never looked at: only
// those with a verdict end as they are.
func endingOf(ctxErr error, failed, decided bool) ending {
	switch {
	case failed:
		return endsByError
	case ctxErr == nil || decided:
		return endsAsIs
	case errors.Is(ctxErr, context.DeadlineExceeded):
		return endsByTimeout
	default:
		return endsElsewhere
	}
}

// Interrupted reports whether err only says that ctx has ended. Once ctx is
// canceled, that holds for every error that is neither a verdict nor a panic: the
// error of a killed child process or a closed connection does not wrap ctx's. It
// is for runners and tests.
func Interrupted(ctx context.Context, err error) bool {
	switch {
	case ctx.Err() == nil:
		return false
	case errors.Is(err, ctx.Err()), errors.Is(err, context.Cause(ctx)):
		return true
	case !errors.Is(ctx.Err(), context.Canceled):
		return false
	}
	_, judged := errors.AsType[*Verdict](err)
	_, crashed := errors.AsType[*invoke.PanicError](err)
	return !judged && !crashed
}
