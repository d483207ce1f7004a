package finalize

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize/english"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// TransferReader reads a transfer with its counters.
type TransferReader interface {
	TransferByID(ctx context.Context, id int64) (tasks.Transfer, error)
}

// attempt is one attempt of a final step.
type attempt struct {
	*Executor
	task  ledger.FinalizeTask
	retry tasks.RetryPolicy
	roots *handlers.Roots // of the files that the handler may read
	job   atomic.Pointer[handlers.TransferJob]

	end       ledger.FinalizeOutcome // as it was recorded
	completed bool                   // it completed the transfer
}

// run runs the handler while the lease is renewed. Its error is errStopping when the
// step was released, and ledger.ErrLeaseLost when another worker has it.
func (a *attempt) run(ctx context.Context) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(a.stopping, func() { cancel(errStopping) })() //nolint:contextcheck // cancel is that of working
	stopRenewing := a.keep(ctx, cancel)
	defer stopRenewing()
	err := a.handle(working)
	failpoint.Point(failpoint.FinalStepRan)
	switch cause := context.Cause(working); {
	case errors.Is(cause, ledger.ErrLeaseLost):
		return cause
	case handlers.Interrupted(working, err):
		return a.release(ctx)
	}
	return a.record(ctx, err)
}

// keep renews the lease until stop is called. When the lease is lost, also because
// the transfer was canceled, the handler is canceled.
func (a *attempt) keep(ctx context.Context, lost context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watch := outage.New(a.Log, outage.Database, "renew the lease of a final step")
		sleep.Every(ctx, a.RenewInterval, func() {
			switch err := a.Steps.RenewFinalizeStep(ctx, &a.task, a.progress(), a.Lease); {
			case errors.Is(err, ledger.ErrLeaseLost):
				lost(err)
				cancel()
			default:
				_ = watch.Done(ctx, err)
			}
		})
	}()
	return func() {
		cancel()
		<-ended
	}
}

// progress is how far the handler is; nothing before it begins.
func (a *attempt) progress() tasks.Progress {
	if job := a.job.Load(); job != nil {
		return job.Progress()
	}
	return tasks.Progress{}
}

// handle prepares the job and runs the handler.
func (a *attempt) handle(ctx context.Context) error {
	var c *handlers.TransferJob
	var reg handlers.Registration
	var limit time.Duration
	err := db.RetryOutage(ctx, a.Log, func() (err error) {
		c, reg, limit, err = a.prepare(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		if err := a.roots.Close(); err != nil {
			a.Log.WarnContext(ctx, "final steps: folders stay open", "transfer", a.Plans.UUID(ctx, a.task.Transfer), "error", err)
		}
	}()
	a.job.Store(c)
	return a.await(ctx, reg.Finalizer, c, limit)
}

func (a *attempt) prepare(ctx context.Context) (c *handlers.TransferJob, reg handlers.Registration, limit time.Duration, err error) {
	e, err := a.Plans.Get(ctx, a.task.Transfer)
	if err != nil {
		return nil, reg, 0, err
	}
	reg, ok := a.Registry.LookupFinalizer(a.task.Handler)
	if !ok || a.task.No > len(e.Recipe.FinalSteps) {
		return nil, reg, 0, handlers.Fail(handlers.CodeError, errNoHandler)
	}
	step := e.Recipe.FinalSteps[a.task.No-1]
	a.retry = a.Retry(step, reg)
	if a.task.Attempts > a.retry.Attempts { // the worker of the last one crashed
		return nil, reg, 0, handlers.Fail(handlers.CodeWorkerCrashed,
			fmt.Errorf("%s ended in the middle of this step", english.Plural(a.task.Attempts-1, "worker", "")))
	}
	transfer, err := a.Transfers.TransferByID(ctx, a.task.Transfer)
	if err != nil {
		return nil, reg, 0, err
	}
	args, err := step.Args(&transfer)
	if err != nil {
		return nil, reg, 0, handlers.Fail(handlers.CodeBadArgs, err)
	}
	runKey, err := a.Lines.RunKey(ctx, a.task.Transfer)
	if err != nil {
		return nil, reg, 0, err
	}
	roots, err := handlers.NewRoots(a.readable(&transfer))
	if err != nil {
		return nil, reg, 0, err
	}
	a.roots = roots.WithObjects(a.Objects)
	return handlers.NewTransferJob(handlers.TransferJobSpec{
		Transfer: transfer, Args: args, ID: a.task.Event,
		Results: collectionReader{a.Lines, ledger.Collection{Transfer: transfer.ID, RunKey: runKey}, a.Log},
		Attempt: a.task.Attempts, FencingToken: a.task.FencingToken, Roots: roots,
		Outputs: a.Outputs.ForTransfer(transfer.UUID), Now: a.Now(), Version: a.Version,
		Written: written{ctx, a.Written, OwnerOf(runKey, transfer.UUID), a.Log},
	}), reg, a.Timeout(step, reg), nil
}

// readable lists the folders that the handler may read.
func (a *attempt) readable(of *tasks.Transfer) []string {
	if len(a.Roots) > 0 {
		return a.Roots
	}
	return of.Sources
}

// await runs the handler within its timeout, and gives up on one that ignores the end
// of its context.
func (a *attempt) await(ctx context.Context, h handlers.Finalizer, c *handlers.TransferJob, limit time.Duration) error {
	if limit > 0 {
		late := &handlers.Verdict{
			Outcome: tasks.OutcomeTimedOut, Code: handlers.CodeTimeout, Err: fmt.Errorf("the step's time, %s, ran out", limit),
		}
		var stop context.CancelFunc
		ctx, stop = context.WithTimeoutCause(ctx, limit, late)
		defer stop()
	}
	left, err := invoke.Wait(ctx, invoke.Go(func() error { return h(ctx, c) }), a.AbandonAfter)
	if left {
		a.Log.WarnContext(ctx, "final steps: the handler ignores the end of its context; it is left running", "handler", a.task.Handler,
			"transfer", a.Plans.UUID(ctx, a.task.Transfer), "step", a.stepName(ctx, &a.task))
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// record records the outcome. It retries while the database is unavailable: the work may
// have taken hours.
func (a *attempt) record(ctx context.Context, err error) error {
	a.end = outcomeOf(err, a.task.Attempts, a.retry)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.stopping, func() { //nolint:contextcheck // cancel is that of ctx
		late := time.AfterFunc(ledger.ReleaseTime, cancel)
		context.AfterFunc(ctx, func() { late.Stop() })
	})()
	return db.RetryOutage(ctx, a.Log, func() (err error) {
		a.completed, err = a.Steps.FinishFinalizeStep(ctx, &a.task, a.end)
		return err
	})
}

func (a *attempt) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ledger.ReleaseTime)
	defer cancel()
	if err := a.Steps.ReleaseFinalizeStep(ctx, &a.task); err != nil {
		return err // another worker takes it when the lease has ended; the attempt counts
	}
	return errStopping
}
