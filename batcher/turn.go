package batcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// transfersPerRound is how many transfers one turn serves.
const transfersPerRound = 100

// dispatchRound serves the next transfers with a backlog, each within its window, so
// that a small one never waits behind a giant.
func (d *Dispatcher) dispatchRound(ctx context.Context) (busy bool, err error) {
	backlogs, err := d.store.Backlogs(ctx, d.lastServed, transfersPerRound)
	if err != nil {
		return false, fmt.Errorf("look for backlogs: %w", err)
	}
	if len(backlogs) == 0 && d.lastServed > 0 {
		d.lastServed = 0
		return true, nil
	}
	for i := range backlogs {
		b := &backlogs[i]
		d.lastServed = b.Transfer
		if d.opts.Now().Before(d.backedOff[b.Transfer]) {
			continue
		}
		delete(d.backedOff, b.Transfer)
		cut, err := d.serveTransfer(ctx, b)
		switch {
		case errors.Is(err, ledger.ErrCursorMoved):
			busy = true // another dispatcher was there
		case err != nil && ctx.Err() == nil:
			d.backOff(ctx, b.Transfer, err)
		}
		busy = busy || cut && err == nil
	}
	if len(backlogs) < transfersPerRound {
		d.lastServed = 0
	}
	return busy, nil
}

// backOffTime is how long a transfer that cannot be served is left alone.
const backOffTime = 5 * time.Second

// backOff leaves a transfer alone for a while: its trouble must not slow others.
func (d *Dispatcher) backOff(ctx context.Context, transfer int64, err error) {
	if len(d.backedOff) > 10*transfersPerRound {
		clear(d.backedOff) // they are tried sooner, that is all
	}
	d.backedOff[transfer] = d.opts.Now().Add(backOffTime)
	d.opts.Log.WarnContext(ctx, "dispatcher: a transfer cannot be served, trying again later",
		"transfer", transfer, "again", backOffTime, "error", err)
}

func (d *Dispatcher) serveTransfer(ctx context.Context, b *ledger.Backlog) (cut bool, err error) {
	e, err := d.transfers.Get(ctx, b.Transfer)
	if err != nil {
		return false, err
	}
	if b.Via == tasks.ViaGroup {
		return d.sweep(ctx, b, e)
	}
	slots, err := d.slots(ctx, e)
	if err != nil {
		return false, err
	}
	slots, policies := d.within(e, slots)
	p := d.window(b.Transfer)
	room := p.room(b.Open, slots, d.opts.Window)
	p.inputLimited = b.Files-b.Cursor > 0
	policy := policies(1)
	r := stepBudgets(e, b, slots)(1)
	if r.Probing() {
		room = min(room, max(probesPerSlot*slots, probesPerSlot)-b.Open)
		p.inputLimited = false // by intent
	}
	if items := r.Items(remainingOf(b)); items > 0 {
		policy.MaxItems = min(cmp.Or(policy.MaxItems, items), items)
	}
	ripe := p.readyFiles(b, policy, d.opts.Now())
	if room <= 0 || ripe == 0 {
		return false, nil
	}
	limit := min(ripe, maxFilesPerDispatch, room*max(policy.MaxItems, 1))
	return d.dispatchNext(ctx, b, e, limit, Planner{Room: room, Policy: policies, Budget: stepBudgets(e, b, slots)})
}

// probesPerSlot is how many batches a slot gets while nobody knows what they
// cost: one to run, and one for when that has ended.
const probesPerSlot = 2

func (d *Dispatcher) slots(ctx context.Context, e *TransferPlan) (int, error) {
	if d.opts.Capacity == nil {
		return 0, nil
	}
	return d.opts.Capacity(ctx, e.Step(1).Handler)
}

// within keeps the slots and the batches of a transfer below what people allow
// all workers: nobody waits for what was cut far ahead of that. A batch holds no
// more files than may be worked on in a second.
func (d *Dispatcher) within(e *TransferPlan, slots int) (int, func(step int) tasks.BatchPolicy) {
	if d.opts.Limits == nil {
		return slots, e.Policy
	}
	inFlight, rate := d.opts.Limits(e)
	if inFlight > 0 && (slots == 0 || inFlight < slots) {
		slots = inFlight
	}
	if rate <= 0 {
		return slots, e.Policy
	}
	most := int(min(math.Ceil(rate), math.MaxInt32))
	return slots, func(step int) tasks.BatchPolicy {
		p := e.Policy(step)
		p.MaxItems = min(cmp.Or(p.MaxItems, most), most)
		return p
	}
}

func (d *Dispatcher) window(transfer int64) *windowControl {
	if d.windows[transfer] == nil {
		if len(d.windows) > 10*transfersPerRound {
			clear(d.windows) // they start anew, that is all
		}
		d.windows[transfer] = new(windowControl)
	}
	return d.windows[transfer]
}
