package handlers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// Transfers reads a transfer with its counters.
type Transfers interface {
	TransferByID(ctx context.Context, id int64) (tasks.Transfer, error)
}

// finalizeAttempt is one try of a final step, in one worker's hands.
type finalizeAttempt struct {
	*Finalizers
	task  ledger.FinalizeTask
	retry tasks.RetryPolicy

	end       ledger.FinalizeOutcome // as it was noted
	completed bool                   // it completed the transfer
}

// run runs the handler while the lease is renewed. Its error is errStopping
// when the step was handed back, store.ErrLeaseLost when it is not this worker's any more.
func (t *finalizeAttempt) run(ctx context.Context) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(t.stopping, func() { cancel(errStopping) })() //nolint:contextcheck // cancel is that of working
	stopRenewing := t.keep(ctx, cancel)
	defer stopRenewing()
	err := t.handle(working)
	failpoint.Point(failpoint.FinalStepRan)
	switch cause := context.Cause(working); {
	case errors.Is(cause, ledger.ErrLeaseLost):
		return cause
	case interrupted(working, err):
		return t.handBack(ctx)
	}
	return t.note(ctx, err)
}

// keep renews the lease until the function it gives is called. When the step is
// lost, the handler is told to end: a canceled transfer is noticed so, too.
func (t *finalizeAttempt) keep(ctx context.Context, lost context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		sleep.Every(ctx, t.RenewInterval, func() {
			switch err := t.Steps.RenewFinalizeStep(ctx, &t.task, t.Lease); {
			case errors.Is(err, ledger.ErrLeaseLost):
				lost(err)
				cancel()
			case err != nil && ctx.Err() == nil:
				t.Log.WarnContext(ctx, "final steps: a lease was not renewed", "transfer", t.task.Transfer, "error", err)
			}
		})
	}()
	return func() {
		cancel()
		<-ended
	}
}

// handle prepares what the handler sees, and runs it.
func (t *finalizeAttempt) handle(ctx context.Context) error {
	var c *TransferJob
	var reg Registration
	var limit time.Duration
	err := db.RetryOutage(ctx, t.Log, func() (err error) {
		c, reg, limit, err = t.prepare(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		if err := c.spec.roots.Close(); err != nil {
			t.Log.WarnContext(ctx, "final steps: folders stay open", "transfer", t.task.Transfer, "error", err)
		}
	}()
	return t.await(ctx, reg.Closing, c, limit)
}

func (t *finalizeAttempt) prepare(ctx context.Context) (c *TransferJob, reg Registration, limit time.Duration, err error) {
	e, err := t.Plans.Get(ctx, t.task.Transfer)
	if err != nil {
		return nil, reg, 0, err
	}
	reg, ok := t.Registry.LookupFinalizer(t.task.Handler)
	if !ok || t.task.No > len(e.Recipe.Finalizers) {
		return nil, reg, 0, Fail(CodeError, errNoHandler)
	}
	step := e.Recipe.Finalizers[t.task.No-1]
	t.retry = t.Retry(step, reg)
	if t.task.Attempts > t.retry.Attempts { // whoever had the last one died with it
		return nil, reg, 0, Fail(CodeWorkerCrashed, fmt.Errorf("%d workers ended in the middle of this step", t.task.Attempts-1))
	}
	transfer, err := t.Transfers.TransferByID(ctx, t.task.Transfer)
	if err != nil {
		return nil, reg, 0, err
	}
	args, err := step.Args(&transfer)
	if err != nil {
		return nil, reg, 0, Fail(CodeBadArgs, err)
	}
	roots, err := NewRoots(t.readable(&transfer))
	if err != nil {
		return nil, reg, 0, err
	}
	return &TransferJob{spec: transferSpec{
		transfer: transfer, lines: t.Lines, args: args, id: t.task.Event, attempt: t.task.Attempts, fencingToken: t.task.FencingToken,
		roots: roots, outputs: t.Outputs, now: t.Now(), log: t.Log,
	}}, reg, t.Timeout(step, reg), nil
}

// readable are the folders that the handler may read.
func (t *finalizeAttempt) readable(of *tasks.Transfer) []string {
	if len(t.Roots) > 0 {
		return t.Roots
	}
	return of.Sources
}

// await runs the handler within its time, and gives up on one that ignores the
// end of its context.
func (t *finalizeAttempt) await(ctx context.Context, h Finalizer, c *TransferJob, limit time.Duration) error {
	if limit > 0 {
		late := &Verdict{Outcome: tasks.OutcomeTimedOut, Code: CodeTimeout, Err: fmt.Errorf("the step's time, %s, ran out", limit)}
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, limit, late)
		defer stop()
	}
	left, err := awaitReturn(ctx, launch(func() error { return h(ctx, c) }), t.AbandonAfter)
	if left {
		t.Log.WarnContext(ctx, "final steps: the handler goes on after its time; it is left alone", "handler", t.task.Handler)
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// note says what became of the try. It waits for a database that is away: what
// was done may have taken hours.
func (t *finalizeAttempt) note(ctx context.Context, err error) error {
	t.end = finalizeOutcome(err, t.task.Attempts, t.retry)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.stopping, func() { //nolint:contextcheck // cancel is that of ctx
		late := time.AfterFunc(handBackTime, cancel)
		context.AfterFunc(ctx, func() { late.Stop() })
	})()
	return db.RetryOutage(ctx, t.Log, func() (err error) {
		t.completed, err = t.Steps.FinishFinalizeStep(ctx, &t.task, t.end)
		return err
	})
}

func (t *finalizeAttempt) handBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handBackTime)
	defer cancel()
	if err := t.Steps.ReleaseFinalizeStep(ctx, &t.task); err != nil {
		return err // when its lease has ended somebody takes it, with the try charged
	}
	return errStopping
}
