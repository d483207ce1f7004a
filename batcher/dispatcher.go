package batcher

import (
	"context"
	"time"
)

// Dispatcher turns registered files into batches, sees to it that every batch
// of the ledger gets to the queue, and that no file is forgotten. It runs in
// every process; one elected acts, and nothing breaks when two believe they are.
type Dispatcher struct {
	ledger  Ledger
	queue   Queue
	catalog *Catalog
	opts    DispatcherOptions
	nudge   chan struct{}

	acting   bool
	renewAt  time.Time
	tickAt   time.Time // next look at the outbox
	healAt   time.Time
	lastTurn int64               // transfer served last
	shunned  map[int64]time.Time // by transfer: until when it is left alone
	paces    map[int64]*pace     // by transfer
}

// NewDispatcher makes a dispatcher; Run starts it.
func NewDispatcher(l Ledger, q Queue, c *Catalog, o DispatcherOptions) *Dispatcher {
	return &Dispatcher{
		ledger: l, queue: q, catalog: c, opts: o.withDefaults(),
		nudge: make(chan struct{}, 1), shunned: make(map[int64]time.Time), paces: make(map[int64]*pace),
	}
}

// Nudge says that something may be there to do. It never blocks.
func (d *Dispatcher) Nudge() {
	select {
	case d.nudge <- struct{}{}:
	default: // a nudge is waiting already
	}
}

// Run acts until ctx ends, whose error it returns. Errors of the database or
// the queue are logged, and what failed is tried again.
func (d *Dispatcher) Run(ctx context.Context) error {
	defer d.resign(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-d.nudge:
		}
		busy, err := d.step(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			d.opts.Log.WarnContext(ctx, "dispatcher: trying again", "error", err, "failures", failures)
			timer.Reset(min(d.opts.Interval<<min(failures, 6), 10*time.Second))
		case busy:
			failures = 0
			timer.Reset(0)
		default:
			failures = 0
			timer.Reset(d.opts.Interval)
		}
	}
}

// step does one round, and reports whether another should follow at once.
func (d *Dispatcher) step(ctx context.Context) (busy bool, err error) {
	if err := d.stand(ctx); err != nil || !d.acting {
		return false, err
	}
	now := d.opts.Now()
	if !now.Before(d.tickAt) {
		d.tickAt = now.Add(time.Second)
		if err := d.send(ctx); err != nil {
			return false, err
		}
	}
	if !now.Before(d.healAt) {
		d.healAt = now.Add(healEvery)
		if err := d.heal(ctx); err != nil {
			return false, err
		}
		if err := d.interrupt(ctx); err != nil {
			return false, err
		}
	}
	return d.turn(ctx)
}

// healEvery is how often to look for stranded groups and dead producers.
const healEvery = 5 * time.Second

// interrupt says of transfers whose producer has died that they are.
func (d *Dispatcher) interrupt(ctx context.Context) error {
	n, err := d.ledger.Interrupt(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		d.opts.Log.WarnContext(ctx, "dispatcher: producers died before they sealed their transfers", "transfers", n)
	}
	return nil
}
