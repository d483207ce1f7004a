package finalize

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/tasks"
)

// Transfers reads a transfer with its counters.
type Transfers interface {
	TransferByID(ctx context.Context, id int64) (tasks.Transfer, error)
}

// attempt is one try of a final step, in one worker's hands.
type attempt struct {
	*Runner
	task  ledger.FinalizeTask
	retry tasks.RetryPolicy
	roots *handlers.Roots // of the files that the handler may read

	end       ledger.FinalizeOutcome // as it was noted
	completed bool                   // it completed the transfer
}

// run runs the handler while the lease is renewed. Its error is errStopping
// when the step was handed back, store.ErrLeaseLost when it is not this worker's any more.
func (t *attempt) run(ctx context.Context) error {
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
	case handlers.Interrupted(working, err):
		return t.handBack(ctx)
	}
	return t.note(ctx, err)
}

// keep renews the lease until the function it gives is called. When the step is
// lost, the handler is told to end: a canceled transfer is noticed so, too.
func (t *attempt) keep(ctx context.Context, lost context.CancelCauseFunc) (stop func()) {
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
func (t *attempt) handle(ctx context.Context) error {
	var c *handlers.TransferJob
	var reg handlers.Registration
	var limit time.Duration
	err := store.RetryOutage(ctx, t.Log, func() (err error) {
		c, reg, limit, err = t.prepare(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		if err := t.roots.Close(); err != nil {
			t.Log.WarnContext(ctx, "final steps: folders stay open", "transfer", t.task.Transfer, "error", err)
		}
	}()
	return t.await(ctx, reg.Finalizer, c, limit)
}

func (t *attempt) prepare(ctx context.Context) (c *handlers.TransferJob, reg handlers.Registration, limit time.Duration, err error) {
	e, err := t.Plans.Get(ctx, t.task.Transfer)
	if err != nil {
		return nil, reg, 0, err
	}
	reg, ok := t.Registry.LookupFinalizer(t.task.Handler)
	if !ok || t.task.No > len(e.Recipe.Finalizers) {
		return nil, reg, 0, handlers.Fail(handlers.CodeError, errNoHandler)
	}
	step := e.Recipe.Finalizers[t.task.No-1]
	t.retry = t.Retry(step, reg)
	if t.task.Attempts > t.retry.Attempts { // whoever had the last one died with it
		return nil, reg, 0, handlers.Fail(handlers.CodeWorkerCrashed, fmt.Errorf("%d workers ended in the middle of this step", t.task.Attempts-1))
	}
	transfer, err := t.Transfers.TransferByID(ctx, t.task.Transfer)
	if err != nil {
		return nil, reg, 0, err
	}
	args, err := step.Args(&transfer)
	if err != nil {
		return nil, reg, 0, handlers.Fail(handlers.CodeBadArgs, err)
	}
	roots, err := handlers.NewRoots(t.readable(&transfer))
	if err != nil {
		return nil, reg, 0, err
	}
	t.roots = roots
	return handlers.NewTransferJob(handlers.TransferJobSpec{
		Transfer: transfer, Results: patientReader{t.Lines, t.Log}, Args: args, ID: t.task.Event,
		Attempt: t.task.Attempts, FencingToken: t.task.FencingToken, Roots: roots, Outputs: t.Outputs, Now: t.Now(),
	}), reg, t.Timeout(step, reg), nil
}

// readable are the folders that the handler may read.
func (t *attempt) readable(of *tasks.Transfer) []string {
	if len(t.Roots) > 0 {
		return t.Roots
	}
	return of.Sources
}

// await runs the handler within its time, and gives up on one that ignores the
// end of its context.
func (t *attempt) await(ctx context.Context, h handlers.Finalizer, c *handlers.TransferJob, limit time.Duration) error {
	if limit > 0 {
		late := &handlers.Verdict{Outcome: tasks.OutcomeTimedOut, Code: handlers.CodeTimeout, Err: fmt.Errorf("the step's time, %s, ran out", limit)}
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, limit, late)
		defer stop()
	}
	left, err := invoke.Wait(ctx, invoke.Go(func() error { return h(ctx, c) }), t.AbandonAfter)
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
func (t *attempt) note(ctx context.Context, err error) error {
	t.end = outcomeOf(err, t.task.Attempts, t.retry)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.stopping, func() { //nolint:contextcheck // cancel is that of ctx
		late := time.AfterFunc(releaseTime, cancel)
		context.AfterFunc(ctx, func() { late.Stop() })
	})()
	return store.RetryOutage(ctx, t.Log, func() (err error) {
		t.completed, err = t.Steps.FinishFinalizeStep(ctx, &t.task, t.end)
		return err
	})
}

func (t *attempt) handBack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, releaseTime)
	defer cancel()
	if err := t.Steps.ReleaseFinalizeStep(ctx, &t.task); err != nil {
		return err // when its lease has ended somebody takes it, with the try charged
	}
	return errStopping
}
