package control

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

// Retry runs the files of the selected results again, from the step of the result on, and
// returns how many will run. A filter without outcomes selects failures and canceled files.
func (c *Controller) Retry(ctx context.Context, t tasks.Transfer, filter tasks.ResultSelector) (files int64, err error) {
	e, err := c.transfers.Get(ctx, t.ID)
	if err != nil {
		return 0, err
	}
	if err := worker.LoadCosts(ctx, c.store, c.costs); err != nil {
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
	holder := c.name + " " + rand.Text()
	lease := fmt.Sprintf("retry of transfer %d", t.ID)
	defer func() {
		// If the release fails, the lease ends by itself.
		err = errors.Join(err, c.store.ReleaseLease(context.WithoutCancel(ctx), lease, holder))
	}()
	for {
		alone, err := c.store.AcquireLease(ctx, lease, holder, retryLease)
		if err == nil && !alone {
			err = fmt.Errorf("%w: %s", ErrRetryInProgress, t.UUID)
		}
		if err != nil {
			return files, err
		}
		done, err := c.store.RetryFiles(ctx, request)
		if err != nil {
			return files, err
		}
		if done.Last == 0 && files == 0 && everything {
			return c.store.ResumeEmitted(ctx, t.ID)
		}
		if done.Last == 0 {
			return files, nil
		}
		files += done.Files
		request.After, request.WasCompleted = done.Last, done.Ended
		c.send(ctx, t.ID, done.Batches)
	}
}

// send enqueues batches whose rows are committed, except those that the dispatcher
// gathers. The dispatcher also sends those that the queue refuses. Only this process uses an embedded queue, so send then also makes the
// batches of the transfer due: another process on the same database sends them at once.
func (c *Controller) send(ctx context.Context, transfer int64, batches []tasks.Batch) {
	if c.queue == nil || len(batches) == 0 {
		return
	}
	ready := slices.DeleteFunc(slices.Clone(batches), func(b tasks.Batch) bool { return b.Gathering })
	err := c.queue.Producer.EnqueueBatches(ctx, ready)
	if c.queue.Embedded() {
		err = errors.Join(err, c.store.MakeDue(ctx, transfer))
	}
	if err != nil {
		c.log.Log(ctx, outage.Level(err), "left to the dispatcher", "transfer", c.transfers.UUID(ctx, transfer), "batches", len(batches),
			"error", err)
	}
}

// ErrNotCompleted is the error of RetryFinalizers for a transfer that has not completed.
var ErrNotCompleted = errors.New("the transfer has not completed")

// RetryFinalizers runs the failed final steps of a completed transfer again, and no
// files. It returns their number; unless that is 0, the transfer completes again after
// the last of them.
func (c *Controller) RetryFinalizers(ctx context.Context, t tasks.Transfer) (steps int64, err error) {
	if t.State != tasks.StateCompleted {
		return 0, fmt.Errorf("%w: it is %s", ErrNotCompleted, t.State)
	}
	return c.store.RetryFinalizeSteps(ctx, t.ID)
}
