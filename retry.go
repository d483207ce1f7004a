package baler

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/tasks"
)

// ErrRetryInProgress is the error of Retry while another process retries the same
// transfer.
var ErrRetryInProgress = errors.New("another retry of this transfer is under way")

// retryLease is how long one page of a retry keeps other retries of the transfer out.
const retryLease = time.Minute

// retryPage is how many files one transaction of Retry handles.
const retryPage = 500

// Retry runs the files of the selected results again, from the step of the result on: these
// results and those of later steps become attempts, and no longer count. A filter without
// outcomes selects failures and canceled files. While the transfer runs, only failed files
// can run again. A canceled transfer also continues with emitted files that were not
// registered yet. Retry returns how many files will run; a transfer that had ended runs
// again.
func (b *Baler) Retry(ctx context.Context, t tasks.Transfer, f ResultFilter) (files int64, err error) {
	filter, err := f.of(t)
	if err != nil {
		return 0, err
	}
	return b.retryResults(ctx, t, filter)
}

func (b *Baler) retryResults(ctx context.Context, t tasks.Transfer, filter tasks.ResultSelector) (files int64, err error) {
	e, err := b.transfers.Get(ctx, t.ID)
	if err != nil {
		return 0, err
	}
	if err := worker.LoadCosts(ctx, b.store, b.costs); err != nil {
		return 0, err
	}
	everything := len(filter.Outcomes) == 0 && filter.Step == 0 && filter.File == 0 && filter.Parent == 0
	if len(filter.Outcomes) == 0 {
		filter.Outcomes = []tasks.Outcome{tasks.OutcomeFailed, tasks.OutcomeError, tasks.OutcomeTimedOut, tasks.OutcomeCanceled}
	}
	request := store.RetryRequest{
		Transfer: t.ID, Filter: filter, Limit: retryPage,
		StopsRecipe: func(step int, o tasks.Outcome) bool { return e.Step(step).StopsOnFailure(o) },
		Cut: func(step int, files []tasks.File) []tasks.Batch {
			batches := dispatch.FollowUpBatches(e, step, files)
			for i := range batches {
				batches[i].FencingToken = 1 // an older delivery may have recorded a result meanwhile
			}
			return batches
		},
	}
	holder := b.cfg.Worker.Name + " " + rand.Text()
	lease := fmt.Sprintf("retry of transfer %d", t.ID)
	defer func() {
		// If the release fails, the lease ends by itself.
		err = errors.Join(err, b.store.ReleaseLease(context.WithoutCancel(ctx), lease, holder))
	}()
	for {
		alone, err := b.store.AcquireLease(ctx, lease, holder, retryLease)
		if err == nil && !alone {
			err = fmt.Errorf("%w: %s", ErrRetryInProgress, t.UUID)
		}
		if err != nil {
			return files, err
		}
		done, err := b.store.RetryFiles(ctx, request)
		if err != nil {
			return files, err
		}
		if done.Last == 0 && files == 0 && everything {
			return b.store.ResumeEmitted(ctx, t.ID)
		}
		if done.Last == 0 {
			return files, nil
		}
		files += done.Files
		request.After, request.WasCompleted = done.Last, done.Ended
		b.send(ctx, t.ID, done.Batches)
	}
}

// send enqueues batches whose rows are committed, except those that the dispatcher
// gathers. The dispatcher also sends those that the queue refuses. Only this process uses an embedded queue, so send then also makes the
// batches of the transfer due: another process on the same database sends them at once.
func (b *Baler) send(ctx context.Context, transfer int64, batches []tasks.Batch) {
	if b.queue == nil || len(batches) == 0 {
		return
	}
	ready := slices.DeleteFunc(slices.Clone(batches), func(b tasks.Batch) bool { return b.Gathering })
	err := b.queue.Producer.EnqueueBatches(ctx, ready)
	if b.queue.Embedded() {
		err = errors.Join(err, b.store.MakeDue(ctx, transfer))
	}
	if err != nil {
		b.log.Log(ctx, outage.Level(err), "left to the dispatcher", "transfer", b.transfers.UUID(ctx, transfer), "batches", len(batches),
			"error", err)
	}
}

// Reconcile compares the whole ledger with the queue, and sends the batches that the
// queue has lost. Dispatchers do the same continuously, in small steps.
func (b *Baler) Reconcile(ctx context.Context) (dispatch.ReconcileReport, error) {
	return dispatch.Reconcile(ctx, b.store, b.queue.Producer, b.transfers, b.workerOptions().DispatcherOptions())
}

// ErrNotCompleted is the error of RetryFinalizers for a transfer that has not completed.
var ErrNotCompleted = errors.New("the transfer has not completed")

// RetryFinalizers runs the failed final steps of a completed transfer again, and no
// files. It returns their number; unless that is 0, the transfer completes again after
// the last of them.
func (b *Baler) RetryFinalizers(ctx context.Context, t tasks.Transfer) (steps int64, err error) {
	if t.State != tasks.StateCompleted {
		return 0, fmt.Errorf("%w: it is %s", ErrNotCompleted, t.State)
	}
	return b.store.RetryFinalizeSteps(ctx, t.ID)
}
