package handlers

import (
	"context"
	"errors"
	"time"

	"github.com/balerhq/baler/tasks"
)

// launch runs a handler on a goroutine of its own, so that the caller can give
// up on one that ignores its context. The channel gives what it returned, or the
// panic that ended it, once.
func launch(handle func() error) <-chan error {
	returned := make(chan error, 1)
	go func() {
		err := errGoexit
		defer func() {
			if r := recover(); r != nil {
				err = newPanicError(r)
			}
			returned <- err
		}()
		err = handle()
	}()
	return returned
}

// awaitReturn waits for what launch gives. Once ctx has ended it does so as long as
// patience says, and then leaves the handler alone, with the error of ctx.
func awaitReturn(ctx context.Context, returned <-chan error, patience time.Duration) (leftAlone bool, err error) {
	select {
	case err := <-returned:
		return false, err
	case <-ctx.Done():
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case err := <-returned:
		return false, err
	case <-t.C:
		return true, ctx.Err()
	}
}

// settle ends the jobs that are not done after Handle returned err, and returns
// those that must be handed back because ctx was canceled before their turn.
func settle(ctx context.Context, jobs []*Job, err error) (left []*Job) {
	for _, job := range jobs {
		if job.isDone() {
			continue
		}
		switch endingOf(ctx.Err(), err != nil && !interrupted(ctx, err), err == nil && job.decided()) {
		case endsAsIs:
			job.Done()
		case endsByError:
			job.fail(err)
		case endsByTimeout:
			job.finish(tasks.OutcomeTimedOut, CodeTimeout, "the step's time ran out before this file was finished")
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

// endingOf decides how a job ends that the handler has left open. A handler
// that returns nil because its context ended leaves jobs that it never looked
// at: only those that it decided end as they are.
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
