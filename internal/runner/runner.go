package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"golang.org/x/sync/semaphore"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/metrics"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/store"
	"github.com/balerhq/baler/tasks"
)

// Errors that a batch's message goes back to the queue with. None of them is
// the batch's fault: none counts as an attempt.
var (
	errStopping  = errors.New("the worker is stopping")
	errNoHandler = errors.New("this worker does not have the handler")
)

// Options says what a Runner works with. Store, Queue, Catalog, Registry
// and Recorder are needed; other zero fields take the values said.
type Options struct {
	Store     *store.Store
	Queue     batcher.Queue
	Transfers *batcher.TransferCache
	Registry  *handlers.Registry
	Recorder  *recorder.Recorder

	Worker       string        // this worker's name in results
	Slots        int           // of this host, see Slots: GOMAXPROCS
	MaxOutput    int           // bytes kept of each stream of a job: DefaultMaxOutput
	FlushAfter   time.Duration // how soon finished jobs of an unfinished batch are recorded: 250 ms
	AbandonAfter time.Duration // how long a handler that ignores the end of its context is waited for: 5 s
	Roots        []string      // folders that handlers may read; empty: what each transfer was submitted with

	// Timeout and Retry give a step's settings, with everything that takes
	// precedence laid over; nil: the handler's defaults under the recipe's.
	Timeout func(*recipe.Step, handlers.Registration) time.Duration
	Retry   func(*recipe.Step, handlers.Registration) tasks.RetryPolicy

	// OnCompleted is told of a transfer that this worker completed; nil for nobody.
	OnCompleted func(ctx context.Context, transfer int64)

	BatchEnded func()          // says that a batch ended; nil for nobody
	Metrics    *metrics.Worker // nil: counts for nobody
	Log        *slog.Logger
	Now        func() time.Time
}

// Runner takes batches from asynq, runs them and has their results recorded.
// It is an asynq.Handler; make one with New.
type Runner struct {
	Options
	slots    *semaphore.Weighted
	heavy    *admission.Slots
	limiter  *admission.Limiter
	roots    *handlers.Roots // what the site allows; nil: what each transfer was submitted with
	stopping context.Context //nolint:containedctx // ends when running handlers must stop, see Stop
	stop     context.CancelCauseFunc

	mu      sync.Mutex
	running map[*batchRun]struct{} // batches in hand
	idle    chan struct{}          // closed when none is; nil when nobody waits
}

var _ asynq.Handler = (*Runner)(nil)

// New makes a runner.
func New(o Options) (*Runner, error) {
	o = o.withDefaults()
	r := &Runner{Options: o, slots: semaphore.NewWeighted(int64(o.Slots)), heavy: admission.NewSlots(o.Slots), limiter: admission.NewLimiter(o.Now)}
	if o.Recorder != nil {
		r.limiter.Concurrency = o.Recorder.Concurrency
	}
	r.stopping, r.stop = context.WithCancelCause(context.Background())
	if len(o.Roots) > 0 {
		roots, err := handlers.NewRoots(o.Roots)
		if err != nil {
			return nil, err
		}
		r.roots = roots
	}
	return r, nil
}

// Stop tells running handlers to end now: what they have finished is recorded,
// the rest goes back to the queue without an attempt charged. New batches go
// back at once.
func (r *Runner) Stop() { r.stop(errStopping) }

// Close gives back the folders that were opened. No batch may be running.
func (r *Runner) Close() error {
	if r.roots == nil {
		return nil
	}
	return r.roots.Close()
}

// ProcessTask runs the batch of one queue message. A nil error acknowledges
// it; any other puts it back, without charging an attempt.
func (r *Runner) ProcessTask(ctx context.Context, t *asynq.Task) error {
	switch t.Type() {
	case tasks.TypeBatch:
		m, err := tasks.DecodeBatch(t.Payload())
		if err != nil {
			return r.deadLetter(ctx, t, err)
		}
		if err = r.claim(ctx, m); errors.Is(err, tasks.ErrForeignMessage) {
			return r.deadLetter(ctx, t, err)
		}
		return err
	case tasks.TypeFile:
		return r.single(ctx, t)
	case tasks.TypeNoop:
		return nil
	}
	return r.deadLetter(ctx, t, fmt.Errorf("%w: unknown type %.80q", tasks.ErrForeignMessage, t.Type()))
}

// deadLetter keeps a message that cannot be read, and acknowledges it: it would
// not become readable by being delivered again.
func (r *Runner) deadLetter(ctx context.Context, t *asynq.Task, reason error) error {
	r.Metrics.DeadLettered()
	r.Log.WarnContext(ctx, "worker: a message is not ours; it is set aside", "type", t.Type(), "reason", reason)
	if err := r.Store.AddDeadLetter(ctx, t.Type(), t.Payload(), reason.Error()); err != nil {
		return fmt.Errorf("set message aside: %w", err)
	}
	return nil
}

// single deals with a file message that asynq delivered by itself, not through
// the aggregator: it becomes a batch of one.
func (r *Runner) single(ctx context.Context, t *asynq.Task) error {
	m, err := tasks.DecodeFile(t.Payload())
	if err != nil {
		return r.deadLetter(ctx, t, err)
	}
	e, err := r.Transfers.Get(ctx, m.Transfer)
	if errors.Is(err, tasks.ErrTransferNotFound) {
		return r.deadLetter(ctx, t, err)
	}
	if err != nil {
		return err
	}
	if !e.HasStep(m.Step) {
		return r.deadLetter(ctx, t, fmt.Errorf("%w: transfer %s has no step %d", tasks.ErrForeignMessage, e.UUID, m.Step))
	}
	one := []tasks.Batch{{
		Transfer: m.Transfer, Step: m.Step, Attempt: 1, Queue: e.Queue,
		Files: tasks.NewRanges([]int64{m.File}), Bytes: m.Bytes,
	}}
	if err := r.Store.AddBatches(ctx, one); err != nil {
		return fmt.Errorf("write batch: %w", err)
	}
	r.enqueue(ctx, one)
	return nil
}

// enqueue sends batches whose rows are committed. When the queue does not take
// them, the dispatcher will send them.
func (r *Runner) enqueue(ctx context.Context, batches []tasks.Batch) {
	now := r.Now()
	var due []tasks.Batch
	for i := range batches {
		if !batches[i].NotBefore.After(now) {
			due = append(due, batches[i])
		}
	}
	if err := r.Queue.EnqueueBatches(ctx, due); err != nil {
		r.Log.WarnContext(ctx, "worker: left to the dispatcher", "batches", len(due), "error", err)
	}
}

// rootsFor gives the folders that a transfer's files may be read from, and
// closes them when the batch is over, unless they are the site's.
func (r *Runner) rootsFor(e *batcher.TransferPlan) (roots *handlers.Roots, done func(), err error) {
	if r.roots != nil {
		return r.roots, func() {}, nil
	}
	roots, err = handlers.NewRoots(e.Sources)
	if err != nil {
		return nil, nil, err
	}
	return roots, func() {
		if err := roots.Close(); err != nil {
			r.Log.Warn("worker: folders stay open", "transfer", e.UUID, "error", err)
		}
	}, nil
}
