// Package runner runs batches: it claims a batch, loads its files, invokes the handler,
// and records the results together with the batches that follow.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/metrics"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/internal/signing"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/internal/walltime"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Errors with which a message goes back to the queue. None of them counts as an
// attempt.
var (
	errStopping  = errors.New("the worker is stopping")
	errNoHandler = errors.New("this worker does not have the handler")
	errNoStep    = errors.New("the transfer has no step")
)

// Options are the settings and dependencies of a Runner. Store, Queue, Transfers,
// Registry, Recorder, Slots and FlushAfter are needed; other zero fields get the defaults
// given here.
type Options struct {
	Store     *store.Store
	Queue     dispatch.BatchQueue
	Transfers *dispatch.TransferCache
	Registry  *handlers.Registry
	Recorder  *recorder.Recorder

	Worker       string               // this worker's name in results
	Slots        int                  // of this host, see handlers.SlotUse
	Concurrency  int                  // batches that the worker takes at once; 0: not known
	MaxOutput    int                  // bytes kept of each stream of a job: DefaultMaxOutput
	MinFree      int64                // bytes that handlers leave free on a disk: DefaultMinFree
	MaxCopy      int64                // of an object, for programs: DefaultMaxCopy
	FlushAfter   time.Duration        // how soon finished jobs of an unfinished batch are recorded
	AbandonAfter time.Duration        // how long to wait for a handler that ignores the end of its context: 5 s
	Roots        []string             // folders that handlers may read; empty: what each transfer was submitted with
	Objects      handlers.ObjectStore // nil: no object storage
	Outputs      handlers.OutputRoots // where they may write

	// Timeouts and Retry give a step's settings, with everything that takes
	// precedence laid over; nil: the handler's defaults under the recipe's.
	Timeouts func(*recipe.Step, handlers.Registration) handlers.Timeouts
	Retry    func(*recipe.Step, handlers.Registration) tasks.RetryPolicy

	// OnCompleted is called for each transfer that this worker completed; may be nil.
	OnCompleted func(ctx context.Context, transfer int64)

	// CanRun reports whether a live worker of a queue takes batches of a handler; nil: none does.
	CanRun func(ctx context.Context, queue, handler string) bool

	// Commands says whether the programs of a recipe may run, see handlers.CommandAccess; nil: none may.
	Commands func(*recipe.Recipe) handlers.CommandAccess

	// Checker verifies the signatures of messages; nil: they have none. Queues are those that the
	// worker takes batches of; empty: any.
	Checker *signing.Checker
	Queues  []string

	BatchEnded func()                 // called when a batch has ended; may be nil
	Metrics    *metrics.WorkerMetrics // nil: none
	Meter      *walltime.Meter        // of the time of transfers; nil: none
	Tracer     *tracing.Tracer        // nil: no traces
	Log        *slog.Logger
	Now        func() time.Time
}

// Runner runs the batches that asynq delivers, and records their results.
// It is an asynq.Handler; make one with New.
type Runner struct {
	Options
	slots    *admission.SlotQueue
	reserved *admission.Slots
	limiter  *admission.Limiter
	roots    *handlers.Roots // the configured ones; nil: what each transfer was submitted with
	stopping context.Context //nolint:containedctx // ends when running handlers must stop, see Stop
	stop     context.CancelCauseFunc

	mu      sync.Mutex
	running map[*batchRun]struct{} // batches in flight
	idle    chan struct{}          // closed when none is in flight; nil when no call waits
	inHand  map[int64]int          // by batch: deliveries of its message that this worker holds

	returns returns
}

var _ asynq.Handler = (*Runner)(nil)

// New makes a runner.
func New(o Options) (*Runner, error) {
	o = o.withDefaults()
	r := &Runner{
		Options: o, slots: admission.NewSlotQueue(o.Slots), reserved: admission.NewSlots(o.Slots),
		limiter: admission.NewLimiter(o.Now, o.Concurrency),
	}
	r.stopping, r.stop = context.WithCancelCause(context.Background())
	if len(o.Roots) > 0 {
		roots, err := handlers.NewRoots(o.Roots)
		if err != nil {
			return nil, err
		}
		r.roots = roots.WithObjects(o.Objects)
	}
	return r, nil
}

// Stop cancels running handlers now. Finished jobs are recorded, the rest goes back to
// the queue, and the attempt does not count. New batches go back at once.
func (r *Runner) Stop() { r.stop(errStopping) }

// Close closes the folders that were opened. No batch may be running.
func (r *Runner) Close() error {
	if r.roots == nil {
		return nil
	}
	return r.roots.Close()
}

// ProcessTask runs the batch of one queue message. A nil error acknowledges
// it; any other puts it back, and the attempt does not count.
func (r *Runner) ProcessTask(ctx context.Context, t *asynq.Task) error {
	ctx, end := withoutDeadline(ctx)
	defer end()
	queue, _ := asynq.GetQueueName(ctx) // without one no signature fits
	if t.Type() != tasks.TypeNoop && !r.Checker.Accept(ctx, queue, t) {
		return nil
	}
	switch t.Type() {
	case tasks.TypeBatch:
		m, err := tasks.DecodeBatch(t.Payload())
		if err != nil {
			return r.deadLetter(ctx, t, err)
		}
		defer r.hold(m.Batch)()
		if r.Tracer.IsOn() {
			ctx = tracing.Continue(ctx, tracing.From(t.Headers()))
		}
		if err = r.runBatch(ctx, m); errors.Is(err, tasks.ErrForeignMessage) {
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

// errEndedByQueue is why a run ends that asynq stops: its lease is lost, somebody has canceled
// its task in Redis, or has given it a deadline.
var errEndedByQueue = errors.New("the queue ended the task")

// withoutDeadline is ctx without its deadline, which is text in Redis: its end must not look
// like the end of a time limit, of which results are recorded.
func withoutDeadline(ctx context.Context) (context.Context, func()) {
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	release := context.AfterFunc(ctx, func() { cancel(fmt.Errorf("%w: %w", errEndedByQueue, context.Cause(ctx))) })
	return own, func() {
		release()
		cancel(nil)
	}
}

// deadLetter stores a message that cannot be used, and acknowledges it: another
// delivery would fail in the same way.
func (r *Runner) deadLetter(ctx context.Context, t *asynq.Task, reason error) error {
	r.Metrics.DeadLettered()
	r.Log.WarnContext(ctx, "worker: a message is not used; it becomes a dead letter", "type", db.ClipText(t.Type(), 80),
		"reason", reason)
	if err := r.Store.AddDeadLetter(ctx, t.Type(), t.Payload(), reason.Error()); err != nil {
		return fmt.Errorf("store dead letter: %w", err)
	}
	return nil
}

// single makes a batch of one of a file message that asynq delivered directly, not
// through the aggregator.
func (r *Runner) single(ctx context.Context, t *asynq.Task) error {
	m, err := tasks.DecodeFile(t.Payload())
	if err != nil {
		return r.deadLetter(ctx, t, err)
	}
	planner := dispatch.GroupPlanner{Store: r.Store, Transfers: r.Transfers}
	one, refused, err := planner.PlanFiles(ctx, m.Transfer, m.Step, []int64{m.File})
	if err != nil {
		return err
	}
	if reason, ok := refused[m.File]; ok {
		return r.deadLetter(ctx, t, fmt.Errorf("%w: %s", tasks.ErrForeignMessage, reason))
	}
	if err := r.Store.AddBatches(ctx, one); err != nil {
		return fmt.Errorf("write batch: %w", err)
	}
	r.enqueue(ctx, one)
	return nil
}

// enqueue sends those of the committed batches that are due now. When that fails, the
// dispatcher sends them later.
func (r *Runner) enqueue(ctx context.Context, batches []tasks.Batch) {
	now := r.Now()
	var due []tasks.Batch
	for i := range batches {
		if !batches[i].Gathering && !batches[i].NotBefore.After(now) {
			due = append(due, batches[i])
		}
	}
	if len(due) == 0 {
		return
	}
	first, err := r.Store.FirstOfTransfers(ctx, due)
	if err = errors.Join(err, queue.EnqueueInTurn(ctx, r.Queue, due, first)); err != nil {
		r.Log.Log(ctx, outage.Level(err), "worker: left to the dispatcher", "transfer", r.Transfers.UUID(ctx, due[0].Transfer),
			"batches", len(due), "error", err)
	}
}

// rootsFor opens the folders that a transfer's files may be read from; done closes
// them, unless they are the configured ones.
func (r *Runner) rootsFor(e *dispatch.TransferPlan) (roots *handlers.Roots, done func(), err error) {
	if r.roots != nil {
		return r.roots, func() {}, nil
	}
	roots, err = handlers.NewRoots(e.Sources)
	if err != nil {
		return nil, nil, err
	}
	return roots.WithObjects(r.Objects), func() {
		if err := roots.Close(); err != nil {
			r.Log.Warn("worker: folders stay open", "transfer", e.UUID, "error", err)
		}
	}, nil
}
