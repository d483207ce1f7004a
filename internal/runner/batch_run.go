package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/metrics"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/internal/walltime"
	"github.com/balerhq/baler/tasks"
)

// batchRun is one run of one batch.
type batchRun struct {
	store     *store.Store
	recorder  *recorder.Recorder
	metrics   *metrics.WorkerMetrics
	slots     *admission.SlotQueue
	log       *slog.Logger
	now       func() time.Time
	options   *Options
	stopping  context.Context //nolint:containedctx // ends when the worker stops running handlers
	enqueue   func(ctx context.Context, batches []tasks.Batch)
	openRoots func() (roots *handlers.Roots, done func(), err error)

	batch        *tasks.Batch
	plan         *dispatch.TransferPlan
	registration handlers.Registration
	retry        tasks.RetryPolicy
	timeouts     handlers.Timeouts
	redelivered  bool // an earlier worker may have recorded some of it

	known []fileOutcome            // files that an earlier run of this batch recorded
	work  []tasks.File             // files to run, ascending
	facts map[int64]map[string]any // what earlier steps recorded, by file

	someCanceled  bool         // see ledger.Claim
	canceledFiles tasks.Ranges // of the work: these end without running

	lap      *walltime.Lap
	queuedAt time.Time // when its row was written

	jobs    []*handlers.Job
	live    atomic.Pointer[[]*handlers.Job] // the jobs once they exist, for heartbeats
	shown   bool                            // the ledger says which files run; under the lock of the Runner
	partial *partialFlush
	reuse   reuse

	// emittedFolders says of folders of this batch whether they hold files of the transfer. It is
	// there when its jobs are settled.
	emittedFolders atomic.Pointer[map[ledger.EmittedFolder]bool]

	poisoned     bool // its file crashed as many workers as it may: it fails without another run
	crashCounted bool // this run is counted as a crash in advance, see countCrash

	canceled context.Context         //nolint:containedctx // ends when the transfer is canceled
	cancel   context.CancelCauseFunc // with the verdict of the files that have none
}

// isCanceled reports whether the transfer is canceled.
func (r *batchRun) isCanceled() bool { return r.canceled.Err() != nil }

// whyCanceled is the verdict of the files that have none, when the transfer is canceled.
func (r *batchRun) whyCanceled() error { return context.Cause(r.canceled) }

func newBatchRun(w *Runner, c *ledger.Claim, a assignment) *batchRun {
	r := &batchRun{
		store: w.Store, recorder: w.Recorder, metrics: w.Metrics, slots: w.slots, now: w.Now,
		options: &w.Options, stopping: w.stopping, enqueue: w.enqueue,
		openRoots: func() (*handlers.Roots, func(), error) { return w.rootsFor(a.plan) },

		batch: &c.Batch, plan: a.plan, registration: a.registration, redelivered: c.Redelivered, someCanceled: c.SomeCanceled,
		retry: w.Retry(a.plan.Step(c.Step), a.registration), timeouts: w.Timeouts(a.plan.Step(c.Step), a.registration),
		log: batchLog(w.Log, &c.Batch, a.plan),
	}
	r.canceled, r.cancel = context.WithCancelCause(context.Background())
	r.queuedAt = c.Gap.BatchCreatedAt
	if c.Canceled {
		r.cancel(canceledBy(c.DeadlineExceeded))
	}
	r.poisoned = r.isPoisoned()
	r.partial = newPartialFlush(r)
	return r
}

// batchLog returns a log with the attributes of a batch and the public id of its transfer.
func batchLog(log *slog.Logger, b *tasks.Batch, plan *dispatch.TransferPlan) *slog.Logger {
	return log.With("transfer", plan.UUID, "step", plan.Step(b.Step).Name, "batch", b.ID)
}

// runBatch runs the batch of a message: claim → load → build → invoke → settle →
// complete. A nil error acknowledges the message.
func (r *Runner) runBatch(ctx context.Context, m tasks.BatchMessage) error {
	received := time.Now()
	run, done, err := r.claim(ctx, m)
	if run == nil {
		return err
	}
	defer done()
	ctx, end := run.trace(ctx, received)
	err = r.runClaimed(ctx, run)
	end(err)
	return err
}

func (r *Runner) runClaimed(ctx context.Context, run *batchRun) error {
	loading, span := r.Tracer.Start(ctx, "load", nil)
	err := run.load(loading)
	span.EndWith(err)
	if errors.Is(err, db.ErrMisread) { // another worker would not read it either
		return r.Store.Suspend(ctx, run.batch.Transfer, err.Error())
	}
	if err != nil {
		return fmt.Errorf("batch %d: %w", run.batch.ID, err)
	}
	defer r.track(run)()
	return run.execute(ctx)
}

func (r *batchRun) execute(ctx context.Context) error {
	defer r.cancel(nil)
	r.lap.Enter(tasks.TimeSlots)
	_, span := r.options.Tracer.Start(ctx, "wait for slots", nil)
	freeSlots, err := r.takeSlots(ctx)
	span.EndWith(err)
	r.lap.Enter(tasks.TimeLoading)
	if err != nil {
		return r.handBack(ctx, err)
	}
	defer freeSlots()
	if err := r.countCrash(ctx); err != nil {
		return r.answer(ctx, err)
	}
	if err := r.recheck(ctx); err != nil {
		return r.handBack(ctx, err)
	}
	if err := r.lookForReuse(ctx); err != nil {
		return r.handBack(ctx, err)
	}
	open, closeRoots, err := r.build()
	if err != nil {
		return r.handBack(ctx, err)
	}
	defer closeRoots()
	working, stop := r.working(ctx)
	defer stop()
	r.lap.Enter(tasks.TimeHandler)
	working, span = r.options.Tracer.StartWith(working, func() (string, tracing.Attributes) {
		return "invoke " + r.registration.Name, tracing.Attributes{"files": len(open)}
	})
	batchErr := r.invoke(working, open)
	span.EndWith(batchErr)
	r.lap.Enter(tasks.TimeCommits)
	_, span = r.options.Tracer.Start(ctx, "settle", nil)
	left := r.settle(working, open, batchErr)
	span.End("")
	if !r.crashCounted { // a suspect stays alone until its result is recorded
		freeSlots()
	}
	if err := r.partial.stop(); err != nil {
		return r.answer(ctx, err)
	}
	if left > 0 {
		return r.handBackRest(ctx)
	}
	return r.answer(ctx, r.complete(ctx, batchErr))
}

// answer turns the outcome of a run into the answer to its message.
func (r *batchRun) answer(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ledger.ErrLeaseLost):
		r.metrics.BatchDropped()
		r.log.InfoContext(ctx, "worker: another worker has taken over this batch; this worker records none of its results")
		r.supersedeFolders(ctx, func(int64) bool { return true })
		return nil
	default:
		return r.handBack(ctx, err)
	}
}

// handBackRest records the finished jobs of a batch, and releases the rest.
func (r *batchRun) handBackRest(ctx context.Context) error {
	if err := r.partial.flushAll(ctx); err != nil {
		return r.answer(ctx, err)
	}
	r.supersedeFolders(ctx, r.partial.isSent)
	why := context.Cause(ctx) // the lease in the queue is lost
	if r.stopping.Err() != nil {
		why = errStopping
	}
	return r.handBack(ctx, why)
}

// handBack releases the batch. From then on the database rejects results that this
// worker still tries to record.
func (r *batchRun) handBack(ctx context.Context, why error) error {
	r.lap.Enter(tasks.TimeOther)
	r.metrics.BatchReleased()
	r.partial.drop()
	r.uncountCrash()
	r.releaseFolders(ctx)
	ctx, cancel := untilReleased(ctx)
	defer cancel()
	if err := r.store.ReleaseBatch(ctx, r.batch); err != nil {
		why = errors.Join(why, err)
	}
	return fmt.Errorf("batch %d returns to the queue: %w", r.batch.ID, why)
}
