// Package finalize runs the final steps of transfers: once for each transfer, after its
// last file has ended, under a lease.
package finalize

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Store holds the final steps.
type Store interface {
	// DueFinalizeSteps lists steps that are due.
	DueFinalizeSteps(ctx context.Context, w ledger.FinalizeQuery) ([]ledger.FinalizeTask, error)

	// ClaimFinalizeStep claims a step for an attempt; false when another worker did.
	ClaimFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, lease time.Duration) (bool, error)

	// RenewFinalizeStep renews the lease, and records how far the step is; ledger.ErrLeaseLost
	// when another worker has it.
	RenewFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, p tasks.Progress, lease time.Duration) error

	// ReleaseFinalizeStep gives the claim up; the attempt does not count.
	ReleaseFinalizeStep(ctx context.Context, c *ledger.FinalizeTask) error

	// FinishFinalizeStep records the outcome; true when that completed the transfer.
	FinishFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, e ledger.FinalizeOutcome) (bool, error)
}

// Options are the settings and dependencies of an Executor. Steps, Lines, Written,
// Transfers, Plans and Registry are needed; other zero fields get the defaults given
// here.
type Options struct {
	Steps     Store
	Lines     Collections
	Written   OutputStore
	Transfers TransferReader
	Plans     *dispatch.TransferCache
	Registry  *handlers.Registry

	Tracer *tracing.Tracer // nil: no traces

	Roots       []string             // folders that handlers may read; empty: what each transfer was submitted with
	Objects     handlers.ObjectStore // nil: no object storage
	Outputs     handlers.OutputRoots // where they may write
	Version     string               // of the program, for outputs that name it
	RunKey      string               // of the transfers whose steps to run; empty: of all
	Concurrency int                  // steps at the same time: 4

	PollInterval  time.Duration // how often to query for due steps: 500 ms
	Lease         time.Duration // after which another worker takes a step that is not renewed: 30 s
	RenewInterval time.Duration // how often to renew it, and to notice that it was canceled: a sixth of Lease
	AbandonAfter  time.Duration // how long to wait for a handler that ignores the end of its context: 5 s

	// Timeout and Retry give a step's settings, as Options do.
	Timeout func(*recipe.FinalStep, handlers.Registration) time.Duration
	Retry   func(*recipe.FinalStep, handlers.Registration) tasks.RetryPolicy

	// OnCompleted is called for each transfer that this worker completed; may be nil.
	OnCompleted func(ctx context.Context, transfer int64)

	Log *slog.Logger
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	o.Concurrency = cmp.Or(o.Concurrency, 4)
	o.PollInterval = cmp.Or(o.PollInterval, 500*time.Millisecond)
	o.Lease = cmp.Or(o.Lease, 30*time.Second)
	o.RenewInterval = cmp.Or(o.RenewInterval, o.Lease/6)
	o.AbandonAfter = cmp.Or(o.AbandonAfter, invoke.DefaultPatience)
	if o.Timeout == nil {
		o.Timeout = StepTimeout
	}
	if o.Retry == nil {
		o.Retry = stepRetry
	}
	if o.OnCompleted == nil {
		o.OnCompleted = func(context.Context, int64) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Executor runs final steps that are due. Make one with New.
type Executor struct {
	Options
	slots    chan struct{}   // one for each running step
	ended    chan struct{}   // holds one when a step has ended: another may be due
	stopping context.Context //nolint:containedctx // ends when running handlers must stop, see Stop
	stop     context.CancelCauseFunc
}

// New makes an executor; Run starts it.
func New(o Options) *Executor {
	o = o.withDefaults()
	r := &Executor{Options: o, slots: make(chan struct{}, o.Concurrency), ended: make(chan struct{}, 1)}
	r.stopping, r.stop = context.WithCancelCause(context.Background())
	return r
}

// Stop cancels running handlers now; their steps are released, and the attempt does
// not count.
func (r *Executor) Stop() { r.stop(errStopping) }

// Run runs due steps until ctx ends, and returns when the running ones have ended. It
// may be called again, and also while an earlier call still waits for its steps.
// After an error of the database it tries again.
func (r *Executor) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	watch := outage.New(r.Log, outage.Database, "look for final steps")
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-r.ended:
		}
		_ = watch.Done(ctx, invoke.Guard(ctx, r.Log, "final steps", func() error { return r.round(ctx, &running) }))
		timer.Reset(r.PollInterval)
	}
}

// round claims due steps while slots are free.
func (r *Executor) round(ctx context.Context, running *sync.WaitGroup) error {
	room := cap(r.slots) - len(r.slots)
	if room == 0 {
		return nil
	}
	due, err := r.Steps.DueFinalizeSteps(ctx, ledger.FinalizeQuery{
		Handlers: r.Registry.FinalizerNames(), RunKey: r.RunKey, Limit: room,
	})
	if err != nil {
		return err
	}
	for _, task := range due {
		select {
		case r.slots <- struct{}{}:
		default:
			return nil // another Run took the room
		}
		taken, err := r.Steps.ClaimFinalizeStep(ctx, &task, r.Lease)
		if err != nil || !taken {
			<-r.slots
			if err != nil {
				return err
			}
			continue
		}
		running.Go(func() {
			defer func() {
				<-r.slots
				select {
				case r.ended <- struct{}{}:
				default:
				}
			}()
			_ = invoke.Guard(ctx, r.Log, "final steps", func() error { // it is logged; the step is due again after its lease
				r.work(context.WithoutCancel(ctx), task)
				return nil
			})
		})
	}
	return nil
}

// work runs a claimed step and logs how it ended.
func (r *Executor) work(ctx context.Context, task ledger.FinalizeTask) {
	log := r.Log.With("transfer", r.Plans.UUID(ctx, task.Transfer), "step", r.stepName(ctx, &task),
		"handler", task.Handler, "attempt", task.Attempts)
	log.InfoContext(ctx, "final step started")
	ctx, span := r.Tracer.Start(tracing.Continue(ctx, r.Plans.TraceParent(ctx, task.Transfer)), "final step "+task.Handler,
		tracing.Attributes{
			"transfer": r.Plans.UUID(ctx, task.Transfer), "step": r.stepName(ctx, &task),
			"handler": task.Handler, "attempt": task.Attempts,
		})
	a := &attempt{Executor: r, task: task}
	err := a.run(ctx)
	span.Set(tracing.Attributes{"state": string(a.end.State)})
	span.EndWith(err)
	switch {
	case err == nil:
		log.InfoContext(ctx, "final step ended", "state", a.end.State, "reason", a.end.Reason)
		if a.completed {
			r.OnCompleted(ctx, task.Transfer)
		}
	case errors.Is(err, ledger.ErrLeaseLost):
		log.InfoContext(ctx, "another worker has the final step, or it was canceled; nothing is recorded here")
	case errors.Is(err, errStopping):
		log.InfoContext(ctx, "final step released")
	default:
		log.WarnContext(ctx, "final step: its outcome was not recorded, so it will run again", "error", err)
	}
}

// stepName is the name of a final step in its recipe, for the log.
func (r *Executor) stepName(ctx context.Context, task *ledger.FinalizeTask) string {
	plan, err := r.Plans.Get(ctx, task.Transfer)
	if err != nil || task.No < 1 || task.No > len(plan.Recipe.FinalSteps) {
		return strconv.Itoa(task.No)
	}
	return plan.Recipe.FinalSteps[task.No-1].Name
}
