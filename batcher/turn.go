package batcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/balerhq/baler/tasks"
)

// turnSize is how many transfers one turn serves.
const turnSize = 100

// turn serves the next transfers with a backlog, each within its window, so
// that a small one never waits behind a giant.
func (d *Dispatcher) turn(ctx context.Context) (busy bool, err error) {
	backlogs, err := d.ledger.Backlogs(ctx, d.lastTurn, turnSize)
	if err != nil {
		return false, fmt.Errorf("look for backlogs: %w", err)
	}
	if len(backlogs) == 0 && d.lastTurn > 0 {
		d.lastTurn = 0
		return true, nil
	}
	for i := range backlogs {
		b := &backlogs[i]
		d.lastTurn = b.Transfer
		if d.opts.Now().Before(d.shunned[b.Transfer]) {
			continue
		}
		delete(d.shunned, b.Transfer)
		cut, err := d.serve(ctx, b)
		switch {
		case errors.Is(err, ErrMoved):
			busy = true // another dispatcher was there
		case err != nil && ctx.Err() == nil:
			d.shun(ctx, b.Transfer, err)
		}
		busy = busy || cut && err == nil
	}
	if len(backlogs) < turnSize {
		d.lastTurn = 0
	}
	return busy, nil
}

// shunFor is how long a transfer that cannot be served is left alone.
const shunFor = 5 * time.Second

// shun leaves a transfer alone for a while: its trouble must not slow others.
func (d *Dispatcher) shun(ctx context.Context, transfer int64, err error) {
	if len(d.shunned) > 10*turnSize {
		clear(d.shunned) // they are tried sooner, that is all
	}
	d.shunned[transfer] = d.opts.Now().Add(shunFor)
	d.opts.Log.WarnContext(ctx, "dispatcher: a transfer cannot be served, trying again later",
		"transfer", transfer, "again", shunFor, "error", err)
}

func (d *Dispatcher) serve(ctx context.Context, b *Backlog) (cut bool, err error) {
	e, err := d.catalog.Get(ctx, b.Transfer)
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
	p := d.pace(b.Transfer)
	room := p.room(b.Open, slots, d.opts.Window)
	p.filled = b.Files-b.Cursor > 0
	policy := policies(1)
	r := rationing(e, b, slots)(1)
	if r.probing() {
		room = min(room, max(probesPerSlot*slots, probesPerSlot)-b.Open)
		p.filled = false // by intent
	}
	if items := r.items(b.rest()); items > 0 {
		policy.MaxItems = min(cmp.Or(policy.MaxItems, items), items)
	}
	ripe := p.ripe(b, policy, d.opts.Now())
	if room <= 0 || ripe == 0 {
		return false, nil
	}
	limit := min(ripe, cutMost, room*max(policy.MaxItems, 1))
	return d.cut(ctx, b, e, limit, planner{room: room, policy: policies, ration: rationing(e, b, slots)})
}

// probesPerSlot is how many batches a slot gets while nobody knows what they
// cost: one to run, and one for when that has ended.
const probesPerSlot = 2

func (d *Dispatcher) slots(ctx context.Context, e *Entry) (int, error) {
	if d.opts.Slots == nil {
		return 0, nil
	}
	return d.opts.Slots(ctx, e.Step(1).Handler)
}

// within keeps the slots and the batches of a transfer below what people allow
// all workers: nobody waits for what was cut far ahead of that. A batch holds no
// more files than may be worked on in a second.
func (d *Dispatcher) within(e *Entry, slots int) (int, func(step int) Policy) {
	if d.opts.Within == nil {
		return slots, e.Policy
	}
	inFlight, rate := d.opts.Within(e)
	if inFlight > 0 && (slots == 0 || inFlight < slots) {
		slots = inFlight
	}
	if rate <= 0 {
		return slots, e.Policy
	}
	most := int(min(math.Ceil(rate), math.MaxInt32))
	return slots, func(step int) Policy {
		p := e.Policy(step)
		p.MaxItems = min(cmp.Or(p.MaxItems, most), most)
		return p
	}
}

func (d *Dispatcher) pace(transfer int64) *pace {
	if d.paces[transfer] == nil {
		if len(d.paces) > 10*turnSize {
			clear(d.paces) // they start anew, that is all
		}
		d.paces[transfer] = new(pace)
	}
	return d.paces[transfer]
}
