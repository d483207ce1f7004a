package dispatch

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/backoff"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/internal/outage"
)

// Dispatcher turns registered files into batches, and ensures that every batch of the
// ledger reaches the queue and that no file is forgotten. It runs in every process; only
// the holder of a lease acts, and two processes that both believe they hold it do no harm.
type Dispatcher struct {
	store     Store
	queue     BatchQueue
	transfers *TransferCache
	opts      Options
	watch     *outage.Watch
	refused   *outage.Watch // while the database refuses statements about a transfer
	wake      chan struct{}

	acting       bool
	clock        clockWatch
	renewAt      time.Time
	tickAt       time.Time              // when to send due batches next
	repairAt     time.Time              // when to repair groups next
	lastServed   int64                  // the transfer that was served last
	backedOff    perTransfer[time.Time] // until when it is not served
	windows      perTransfer[windowControl]
	sweepAt      perTransfer[time.Time] // not swept before
	clockChanges []clockChange          // that are not in the database yet
	unheld       map[int64]time.Time    // by batch that a worker has received: since when no live worker holds it
}

// New makes a dispatcher; Run starts it.
func New(s Store, q BatchQueue, c *TransferCache, o Options) *Dispatcher {
	o = o.withDefaults()
	return &Dispatcher{
		store: s, queue: q, transfers: c, opts: o, watch: outage.New(o.Log, outage.Database, "dispatch"),
		refused:   outage.NewPassive(o.Log, outage.Database, "dispatch a transfer"),
		wake:      make(chan struct{}, 1),
		backedOff: newPerTransfer[time.Time](rememberedTransfers), windows: newPerTransfer[windowControl](rememberedTransfers),
		sweepAt: newPerTransfer[time.Time](rememberedTransfers),
	}
}

// Wake makes the dispatcher look for work now. It never blocks.
func (d *Dispatcher) Wake() {
	select {
	case d.wake <- struct{}{}:
	default: // it has been woken already
	}
}

// Run dispatches until ctx ends, and returns the error of ctx. After an
// error of the database or the queue it retries with backoff.
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
		case <-d.wake:
		}
		busy := false
		err := invoke.Guard(ctx, d.opts.Log, "dispatcher", func() (err error) {
			busy, err = d.Step(ctx)
			return err
		})
		if err == nil {
			d.watch.Answered(ctx)
		}
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			_ = d.watch.Failed(ctx, err)
			timer.Reset(backoff.Delay(2*d.opts.Interval, min(64*d.opts.Interval, 10*time.Second), failures))
		case busy:
			failures = 0
			timer.Reset(0)
		default:
			failures = 0
			timer.Reset(d.opts.Interval)
		}
	}
}

// Step does one round, as Run does them one after another, and reports whether the next should
// follow at once.
func (d *Dispatcher) Step(ctx context.Context) (busy bool, err error) {
	d.lookAtClock()
	if err := d.campaign(ctx); err != nil {
		return false, err
	}
	if !d.acting {
		d.clockChanges = nil // another one leads, and sees them
		return false, nil
	}
	if err := d.noteClockChanges(ctx); err != nil {
		return false, err
	}
	now := d.opts.Now()
	if !now.Before(d.tickAt) {
		d.tickAt = now.Add(time.Second)
		if err := d.tick(ctx); err != nil {
			return false, err
		}
	}
	if !now.Before(d.repairAt) {
		d.repairAt = now.Add(repairInterval)
		if err := d.repair(ctx); err != nil {
			return false, err
		}
	}
	// Gather before dispatching new files: that keeps the ledger small.
	gathered, err := d.gather(ctx)
	if err != nil {
		return false, err
	}
	busy, err = d.dispatchRound(ctx)
	return busy || gathered, err
}

// tick does what is due each second.
func (d *Dispatcher) tick(ctx context.Context) error {
	if err := d.cancelOverdue(ctx); err != nil {
		return err
	}
	if err := d.keepPaused(ctx); err != nil { // before anything is sent
		return err
	}
	if err := d.send(ctx); err != nil || !d.opts.SharedQueue {
		return err
	}
	return d.reclaimAbandoned(ctx)
}

// repair looks for what crashes and losses have left.
func (d *Dispatcher) repair(ctx context.Context) error {
	if err := d.repairGroups(ctx); err != nil {
		return err
	}
	if err := d.buryOversized(ctx); err != nil {
		return err
	}
	return d.markInterrupted(ctx)
}

// cancelOverdue cancels the transfers whose deadline has passed. One that cannot be canceled
// does not keep the others from being dispatched: it is tried again a second later.
func (d *Dispatcher) cancelOverdue(ctx context.Context) error {
	n, err := d.store.CancelOverdue(ctx)
	if n > 0 {
		d.opts.Log.WarnContext(ctx, "dispatcher: deadlines have passed, their transfers are canceled", "transfers", n)
	}
	if err != nil && !db.IsOutage(err) {
		d.opts.Log.ErrorContext(ctx, "dispatcher: transfers are not canceled at their deadline; cancel them with 'baler cancel'", "error", err)
		return ctx.Err()
	}
	return err
}

// repairInterval is the time between two searches for stranded groups and dead
// producers.
const repairInterval = 5 * time.Second

// markInterrupted marks the transfers whose producer has died.
func (d *Dispatcher) markInterrupted(ctx context.Context) error {
	n, err := d.store.MarkInterrupted(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		d.opts.Log.WarnContext(ctx, "dispatcher: producers died before they sealed their transfers", "transfers", n)
	}
	return nil
}
