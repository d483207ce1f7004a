package handlers

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// FinalizeStore is what a Closer needs from the store beside what finalizers
// read.
type FinalizeStore interface {
	// DueFinalizeSteps lists steps that should be taken now.
	DueFinalizeSteps(ctx context.Context, w ledger.FinalizeQuery) ([]ledger.FinalizeTask, error)

	// ClaimFinalizeStep takes a step for a try; false when somebody was faster.
	ClaimFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, lease time.Duration) (bool, error)

	// RenewFinalizeStep keeps it; store.ErrLeaseLost when it is somebody else's.
	RenewFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, lease time.Duration) error

	// ReleaseFinalizeStep gives it up without the try being charged.
	ReleaseFinalizeStep(ctx context.Context, c *ledger.FinalizeTask) error

	// FinishFinalizeStep notes what became of it; true when that completed the transfer.
	FinishFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, e ledger.FinalizeOutcome) (bool, error)
}

// FinalizersOptions says what a Closer works with. Steps, Lines, Catalog, Transfers
// and Registry are needed; other zero fields take the values said.
type FinalizersOptions struct {
	Steps     FinalizeStore
	Lines     ResultReader
	Transfers Transfers
	Plans     *batcher.TransferCache
	Registry  *Registry

	Roots       []string    // folders that handlers may read; empty: what each transfer was submitted with
	Outputs     OutputRoots // where they may write
	RunKey      string      // of the transfers whose steps to run; empty: of all
	Concurrency int         // steps in hand: 4

	PollInterval  time.Duration // how often to look for steps: 500 ms
	Lease         time.Duration // after which a step is taken from a worker that gives no sign: 30 s
	RenewInterval time.Duration // how often to give a sign, and to hear of a cancel: a sixth of Lease
	AbandonAfter  time.Duration // how long a handler that ignores the end of its context is waited for: 5 s

	// Timeout and Retry give a step's settings, as RunnerOptions do.
	Timeout func(*recipe.Finalizer, Registration) time.Duration
	Retry   func(*recipe.Finalizer, Registration) tasks.RetryPolicy

	// OnCompleted is told of a transfer that this worker completed; nil for nobody.
	OnCompleted func(ctx context.Context, transfer int64)

	Log *slog.Logger
	Now func() time.Time
}

func (o FinalizersOptions) withDefaults() FinalizersOptions {
	o.Concurrency = cmp.Or(o.Concurrency, 4)
	o.PollInterval = cmp.Or(o.PollInterval, 500*time.Millisecond)
	o.Lease = cmp.Or(o.Lease, 30*time.Second)
	o.RenewInterval = cmp.Or(o.RenewInterval, o.Lease/6)
	o.AbandonAfter = cmp.Or(o.AbandonAfter, abandonDelay)
	if o.Timeout == nil {
		o.Timeout = ClosingTimeout
	}
	if o.Retry == nil {
		o.Retry = ClosingRetry
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

// ClosingTimeout is the recipe's timeout of a final step, else the handler's.
func ClosingTimeout(s *recipe.Finalizer, reg Registration) time.Duration {
	return cmp.Or(s.Timeout, reg.Timeout)
}

// ClosingRetry lays the recipe's retry policy of a final step over the handler's.
func ClosingRetry(s *recipe.Finalizer, reg Registration) tasks.RetryPolicy {
	return s.Retry.Overlay(reg.Retry)
}

// Finalizers takes final steps that are due and runs them. Make one with NewFinalizers.
type Finalizers struct {
	FinalizersOptions
	slots    chan struct{}   // one for each step in hand
	ended    chan struct{}   // holds one when a step has ended: another may be due
	stopping context.Context //nolint:containedctx // ends when running handlers must stop, see Stop
	stop     context.CancelCauseFunc
}

// NewFinalizers makes a closer; Run starts it.
func NewFinalizers(o FinalizersOptions) *Finalizers {
	o = o.withDefaults()
	c := &Finalizers{FinalizersOptions: o, slots: make(chan struct{}, o.Concurrency), ended: make(chan struct{}, 1)}
	c.stopping, c.stop = context.WithCancelCause(context.Background())
	return c
}

// Stop tells running handlers to end now; their steps are handed back without a
// try charged.
func (c *Finalizers) Stop() { c.stop(errStopping) }

// Run takes steps until ctx ends, and returns when those in hand have ended. It
// may be called again, and while an earlier call still waits for those it has in
// hand. Errors of the database are logged, and it is asked again.
func (c *Finalizers) Run(ctx context.Context) {
	var inHand sync.WaitGroup
	defer inHand.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-c.ended:
		}
		if err := c.round(ctx, &inHand); err != nil && ctx.Err() == nil {
			c.Log.WarnContext(ctx, "final steps: trying again", "error", err)
		}
		timer.Reset(c.PollInterval)
	}
}

// round takes what is due, as far as there is room.
func (c *Finalizers) round(ctx context.Context, inHand *sync.WaitGroup) error {
	room := cap(c.slots) - len(c.slots)
	if room == 0 {
		return nil
	}
	due, err := c.Steps.DueFinalizeSteps(ctx, ledger.FinalizeQuery{
		Handlers: c.Registry.FinalizerNames(), RunKey: c.RunKey, Limit: room,
	})
	if err != nil {
		return err
	}
	for _, task := range due {
		select {
		case c.slots <- struct{}{}:
		default:
			return nil // another Run has taken the room
		}
		taken, err := c.Steps.ClaimFinalizeStep(ctx, &task, c.Lease)
		if err != nil || !taken {
			<-c.slots
			if err != nil {
				return err
			}
			continue
		}
		inHand.Go(func() {
			defer func() {
				<-c.slots
				select {
				case c.ended <- struct{}{}:
				default:
				}
			}()
			c.work(context.WithoutCancel(ctx), task)
		})
	}
	return nil
}

// work runs a step that was taken, and notes what became of it.
func (c *Finalizers) work(ctx context.Context, task ledger.FinalizeTask) {
	log := c.Log.With("transfer", task.Transfer, "step", task.No, "handler", task.Handler, "try", task.Attempts)
	log.InfoContext(ctx, "final step begins")
	t := &finalizeAttempt{Finalizers: c, task: task}
	err := t.run(ctx)
	switch {
	case err == nil:
		log.InfoContext(ctx, "final step ends", "state", t.end.State, "reason", t.end.Reason)
		if t.completed {
			c.OnCompleted(ctx, task.Transfer)
		}
	case errors.Is(err, ledger.ErrLeaseLost):
		log.InfoContext(ctx, "final step is somebody else's now, or no longer wanted; nothing of it is noted here")
	case errors.Is(err, errStopping):
		log.InfoContext(ctx, "final step is handed back")
	default:
		log.WarnContext(ctx, "final step: its end was not noted, so it will run again", "error", err)
	}
}
