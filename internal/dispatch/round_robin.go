package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/tasks"
)

// transfersPerRound is how many transfers one round serves.
const transfersPerRound = 100

// backOffTime is how long a transfer is not served after an error.
const backOffTime = 5 * time.Second

// dispatchRound serves the next transfers with a backlog, one after another, so that a
// small transfer never waits for a large one. It reports whether another round should
// follow at once.
func (d *Dispatcher) dispatchRound(ctx context.Context) (busy bool, err error) {
	backlogs, err := d.store.Backlogs(ctx, d.lastServed, transfersPerRound)
	if err != nil {
		return false, fmt.Errorf("read backlogs: %w", err)
	}
	if len(backlogs) == 0 && d.lastServed > 0 {
		d.lastServed = 0
		return true, nil
	}
	parts := sharedBy(backlogs)
	for i := range backlogs {
		b := &backlogs[i]
		d.lastServed = b.Transfer
		if d.opts.Now().Before(d.backedOff.of(b.Transfer)) {
			continue
		}
		d.backedOff.Remove(b.Transfer)
		moved := false
		err := invoke.Guard(ctx, d.opts.Log, "dispatcher", func() (err error) {
			moved, err = d.dispatchTransfer(ctx, b, parts[i])
			return err
		})
		switch {
		case errors.Is(err, ledger.ErrCursorMoved):
			busy = true // another dispatcher was faster
		case db.IsOutage(err) && !outage.Told(err):
			return busy, err // the transfer did not cause it
		case invalidRows(err):
			if err := d.store.Suspend(ctx, b.Transfer, err.Error()); err != nil {
				return false, err
			}
		case err != nil && ctx.Err() == nil:
			d.backOff(ctx, b.Transfer, err)
		}
		busy = busy || moved && err == nil
	}
	if len(backlogs) < transfersPerRound {
		d.lastServed = 0
	}
	return busy, nil
}

// invalidRows reports whether dispatching a transfer failed because its rows are invalid.
// Another attempt would fail, too.
func invalidRows(err error) bool {
	_, panicked := errors.AsType[*invoke.PanicError](err)
	return panicked || errors.Is(err, errGap) || errors.Is(err, db.ErrMisread)
}

// backOff does not serve a transfer for a while, so that its errors do not slow others
// down.
func (d *Dispatcher) backOff(ctx context.Context, transfer int64, err error) {
	d.backedOff.Add(transfer, d.opts.Now().Add(backOffTime))
	if db.IsRefused(err) { // people who wait for the transfer learn it from the watch
		err = d.refused.Failed(ctx, fmt.Errorf(
			"transfer %s: compare the database's tables and rights with those that Baler's migration makes: %w",
			d.transfers.knownUUID(transfer), err))
	}
	d.opts.Log.Log(ctx, outage.Level(err), "dispatcher: cannot dispatch a transfer, retrying later",
		"transfer", d.transfers.knownUUID(transfer), "again", backOffTime, "error", err)
}

// dispatchTransfer dispatches the next files of one transfer, if its window allows. It
// reports whether the cursor moved.
func (d *Dispatcher) dispatchTransfer(ctx context.Context, b *ledger.Backlog, s shared) (moved bool, err error) {
	plan, err := d.transfers.Get(ctx, b.Transfer)
	if err != nil {
		return false, err
	}
	if b.Emitted > 0 && b.Sealed {
		return true, d.registerEmitted(ctx, b, plan)
	}
	if b.Cursor == b.Files {
		return false, nil
	}
	if b.Via == tasks.ViaGroup {
		return d.sweep(ctx, b, plan)
	}
	capacity, err := d.opts.Workers.capacity(ctx, plan, 1)
	if err != nil {
		return false, err
	}
	budgets := stepBudgets(plan, b, capacity.slots)
	next, window := decide(situation{
		backlog: *b, slots: capacity.slots, maxWindow: d.opts.Window, policy: capacity.policy(1), budget: budgets(1), shared: s,
		now: d.opts.Now(),
	}, d.windows.of(b.Transfer))
	d.windows.Add(b.Transfer, window)
	if next.files == 0 {
		return false, nil
	}
	return d.dispatchNext(ctx, b, plan, next.files, &batcher.Planner{
		Transfer: b.Transfer, Queue: plan.Queue, Remaining: remainingOf(b),
		Route:  func(f *tasks.File) int { return plan.First(f) },
		Policy: capacity.policy, Budget: budgets, Room: next.room,
	}, s.promotes(b))
}
