package handlers

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/store"
)

// Closings is what a Closer needs from the store beside what closing handlers
// read.
type Closings interface {
	// DueClosingSteps lists steps that should be taken now.
	DueClosingSteps(ctx context.Context, w store.ClosingsWanted) ([]store.ClosingTask, error)

	// TakeClosingStep takes a step for a try; false when somebody was faster.
	TakeClosingStep(ctx context.Context, c *store.ClosingTask, lease time.Duration) (bool, error)

	// RenewClosingStep keeps it; store.ErrStale when it is somebody else's.
	RenewClosingStep(ctx context.Context, c *store.ClosingTask, lease time.Duration) error

	// HandBackClosingStep gives it up without the try being charged.
	HandBackClosingStep(ctx context.Context, c *store.ClosingTask) error

	// EndClosingStep notes what became of it; true when that completed the transfer.
	EndClosingStep(ctx context.Context, c *store.ClosingTask, e store.ClosingEnd) (bool, error)
}

// CloserOptions says what a Closer works with. Steps, Lines, Catalog, Transfers
// and Registry are needed; other zero fields take the values said.
type CloserOptions struct {
	Steps     Closings
	Lines     ClosingLines
	Transfers Transfers
	Catalog   *batcher.Catalog
	Registry  *Registry

	Roots   []string // folders that handlers may read; empty: what each transfer was submitted with
	Outputs Outputs  // where they may write
	Lineage string   // of the transfers whose steps to run; empty: of all
	AtOnce  int      // steps in hand: 4

	Every   time.Duration // how often to look for steps: 500 ms
	Lease   time.Duration // after which a step is taken from a worker that gives no sign: 30 s
	Renew   time.Duration // how often to give a sign, and to hear of a cancel: a sixth of Lease
	Abandon time.Duration // how long a handler that ignores the end of its context is waited for: 5 s

	// Timeout and Retry give a step's settings, as RunnerOptions do.
	Timeout func(*recipe.Closing, Registration) time.Duration
	Retry   func(*recipe.Closing, Registration) Retry

	// Completed is told of a transfer that this worker completed; nil for nobody.
	Completed func(ctx context.Context, transfer int64)

	Log *slog.Logger
	Now func() time.Time
}

func (o CloserOptions) withDefaults() CloserOptions {
	o.AtOnce = cmp.Or(o.AtOnce, 4)
	o.Every = cmp.Or(o.Every, 500*time.Millisecond)
	o.Lease = cmp.Or(o.Lease, 30*time.Second)
	o.Renew = cmp.Or(o.Renew, o.Lease/6)
	o.Abandon = cmp.Or(o.Abandon, abandonDelay)
	if o.Timeout == nil {
		o.Timeout = ClosingTimeout
	}
	if o.Retry == nil {
		o.Retry = ClosingRetry
	}
	if o.Completed == nil {
		o.Completed = func(context.Context, int64) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// ClosingTimeout is the recipe's timeout of a closing step, else the handler's.
func ClosingTimeout(s *recipe.Closing, reg Registration) time.Duration {
	return cmp.Or(s.Timeout, reg.Timeout)
}

// ClosingRetry lays the recipe's retry policy of a closing step over the handler's.
func ClosingRetry(s *recipe.Closing, reg Registration) Retry { return overRetry(s.Retry, reg.Retry) }

// Closer takes closing steps that are due and runs them. Make one with NewCloser.
type Closer struct {
	CloserOptions
	slots    chan struct{}   // one for each step in hand
	ended    chan struct{}   // holds one when a step has ended: another may be due
	stopping context.Context //nolint:containedctx // ends when running handlers must stop, see Stop
	stop     context.CancelCauseFunc
}

// NewCloser makes a closer; Run starts it.
func NewCloser(o CloserOptions) *Closer {
	o = o.withDefaults()
	c := &Closer{CloserOptions: o, slots: make(chan struct{}, o.AtOnce), ended: make(chan struct{}, 1)}
	c.stopping, c.stop = context.WithCancelCause(context.Background())
	return c
}

// Stop tells running handlers to end now; their steps are handed back without a
// try charged.
func (c *Closer) Stop() { c.stop(errStopping) }

// Run takes steps until ctx ends, and returns when those in hand have ended. It
// may be called again, and while an earlier call still waits for those it has in
// hand. Errors of the database are logged, and it is asked again.
func (c *Closer) Run(ctx context.Context) {
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
			c.Log.WarnContext(ctx, "closing steps: trying again", "error", err)
		}
		timer.Reset(c.Every)
	}
}

// round takes what is due, as far as there is room.
func (c *Closer) round(ctx context.Context, inHand *sync.WaitGroup) error {
	room := cap(c.slots) - len(c.slots)
	if room == 0 {
		return nil
	}
	due, err := c.Steps.DueClosingSteps(ctx, store.ClosingsWanted{
		Handlers: c.Registry.ClosingNames(), Lineage: c.Lineage, Limit: room,
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
		taken, err := c.Steps.TakeClosingStep(ctx, &task, c.Lease)
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
func (c *Closer) work(ctx context.Context, task store.ClosingTask) {
	log := c.Log.With("transfer", task.Transfer, "step", task.No, "handler", task.Handler, "try", task.Tries)
	log.InfoContext(ctx, "closing step begins")
	t := &closingTry{Closer: c, task: task}
	err := t.run(ctx)
	switch {
	case err == nil:
		log.InfoContext(ctx, "closing step ends", "state", t.end.State, "reason", t.end.Reason)
		if t.completed {
			c.Completed(ctx, task.Transfer)
		}
	case errors.Is(err, store.ErrStale):
		log.InfoContext(ctx, "closing step is somebody else's now, or no longer wanted; nothing of it is noted here")
	case errors.Is(err, errStopping):
		log.InfoContext(ctx, "closing step is handed back")
	default:
		log.WarnContext(ctx, "closing step: its end was not noted, so it will run again", "error", err)
	}
}
