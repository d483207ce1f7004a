package baler

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/tasks"
)

// Cancel stops a transfer: nothing more of it starts, handlers that are at work
// on it are told to stop within seconds, and what they leave ends as canceled.
// It reports false when the transfer had ended already.
func (b *Baler) Cancel(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.store.Cancel(ctx, t.ID)
}

// Pause lets nothing more of a transfer start; what is in hand ends. It reports
// false when the transfer has ended or is paused already.
func (b *Baler) Pause(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.store.Pause(ctx, t.ID)
}

// Resume lets a paused transfer go on. It reports false when it was not paused.
func (b *Baler) Resume(ctx context.Context, t tasks.Transfer) (bool, error) {
	return b.store.Resume(ctx, t.ID)
}

// ErrRetryInProgress says that somebody else is choosing results of the transfer to
// be run again.
var ErrRetryInProgress = errors.New("another retry of this transfer is under way")

// retryLease is for how long one page of a retry keeps others out.
const retryLease = time.Minute

// retryPage is how many files one transaction of Retry takes back.
const retryPage = 500

// Retry runs chosen results again, from their step on: they and the results of
// the steps behind them become attempts, and the counters move back with them.
// Without chosen outcomes those that are failures are run again. While the
// transfer runs, only files that ended badly can be. It tells how many files
// will be run; a transfer that had ended goes on.
func (b *Baler) Retry(ctx context.Context, t tasks.Transfer, f ResultFilter) (files int64, err error) {
	e, err := b.transfers.Get(ctx, t.ID)
	if err != nil {
		return 0, err
	}
	filter, err := f.of(t)
	if err != nil {
		return 0, err
	}
	if err := worker.LoadCosts(ctx, b.store, b.costs); err != nil {
		return 0, err
	}
	if len(filter.Outcomes) == 0 {
		filter.Outcomes = []tasks.Outcome{tasks.OutcomeFailed, tasks.OutcomeError, tasks.OutcomeTimedOut, tasks.OutcomeCanceled}
	}
	k := store.RetryRequest{
		Transfer: t.ID, Filter: filter, Limit: retryPage,
		StopsRecipe: func(step int, o tasks.Outcome) bool { return e.Step(step).StopsOnFailure(o) },
		Cut: func(step int, files []tasks.File) []tasks.Batch {
			batches := dispatch.PlanBatches(e, step, files, e.Policy(step))
			for i := range batches {
				batches[i].FencingToken = 1 // another result of them may have come meanwhile
			}
			return batches
		},
	}
	holder := b.cfg.Worker.Name + " " + rand.Text()
	lease := fmt.Sprintf("retry of transfer %d", t.ID)
	defer func() {
		// When that fails the lease runs out by itself.
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
		done, err := b.store.RetryFiles(ctx, k)
		if err != nil {
			return files, err
		}
		if done.Last == 0 {
			return files, nil
		}
		files += done.Files
		k.After, k.WasCompleted = done.Last, done.Ended
		b.send(ctx, t.ID, done.Batches)
	}
}

// send enqueues batches whose rows are committed. What the queue does not take
// the dispatcher sends. An embedded queue is this process's own: another that
// works on the same database is told to look at once.
func (b *Baler) send(ctx context.Context, transfer int64, batches []tasks.Batch) {
	if b.queue == nil || len(batches) == 0 {
		return
	}
	err := b.queue.Producer.EnqueueBatches(ctx, batches)
	if b.queue.Embedded() {
		err = errors.Join(err, b.store.MakeDue(ctx, transfer))
	}
	if err != nil {
		b.log.WarnContext(ctx, "left to the dispatcher", "batches", len(batches), "error", err)
	}
}

// Reconcile holds the ledger against the queue at once, and sends what the
// queue has lost. Dispatchers do the same by themselves, bit by bit.
func (b *Baler) Reconcile(ctx context.Context) (dispatch.ReconcileReport, error) {
	return dispatch.Reconcile(ctx, b.store, b.queue.Producer, b.transfers, b.workerOptions().DispatcherOptions())
}

// QueueStats is what a queue holds.
type QueueStats struct {
	Name     string `json:"queue"`
	Paused   bool   `json:"paused"`
	Pending  int    `json:"pending"`  // batches that wait
	Active   int    `json:"active"`   // batches in workers' hands
	Retrying int    `json:"retrying"` // batches that went back and wait a moment
	Grouped  int    `json:"grouped"`  // files that wait to be collected into batches
}

// Queues lists the queues that Redis knows.
func (b *Baler) Queues(context.Context) ([]QueueStats, error) {
	inspector := asynq.NewInspectorFromRedisClient(b.queue.Client)
	names, err := inspector.Queues()
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	queues := make([]QueueStats, 0, len(names))
	for _, name := range names {
		info, err := inspector.GetQueueInfo(name)
		if err != nil {
			return nil, fmt.Errorf("look at queue %s: %w", name, err)
		}
		queues = append(queues, QueueStats{
			Name: name, Paused: info.Paused, Pending: info.Pending, Active: info.Active, Retrying: info.Retry,
			Grouped: info.Aggregating,
		})
	}
	return queues, nil
}

// PauseQueue lets workers take nothing more from a queue, or lets them again.
func (b *Baler) PauseQueue(_ context.Context, name string, pause bool) error {
	inspector := asynq.NewInspectorFromRedisClient(b.queue.Client)
	do, what := inspector.UnpauseQueue, "resume"
	if pause {
		do, what = inspector.PauseQueue, "pause"
	}
	if err := do(name); err != nil {
		return fmt.Errorf("%s queue %s: %w", what, name, err)
	}
	return nil
}

// ErrWorkerNotFound says that no live worker has the name.
var ErrWorkerNotFound = errors.New("no such worker")

// Workers lists the live workers by name.
func (b *Baler) Workers(ctx context.Context) ([]tasks.Worker, error) {
	return b.store.Workers(ctx)
}

// SetWorkerState says to a worker what is wanted of it: to take batches, to rest,
// or to finish what it has in hand and end. It hears it within seconds.
func (b *Baler) SetWorkerState(ctx context.Context, name string, wish tasks.DesiredState) error {
	known, err := b.store.SetDesiredState(ctx, name, wish)
	if err == nil && !known {
		err = fmt.Errorf("%w: %s", ErrWorkerNotFound, name)
	}
	return err
}
