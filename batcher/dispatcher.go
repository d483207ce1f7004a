package batcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/balerhq/baler/tasks"
)

// leaseName is what dispatchers stand for election for.
const leaseName = "dispatcher"

// DispatcherOptions tunes a Dispatcher. Zero fields take the values said.
type DispatcherOptions struct {
	Holder   string        // who this is, unique among processes
	Window   int           // unfinished batches a transfer may have at most: 64
	Interval time.Duration // how often to look when nothing happens: 100 ms
	Lease    time.Duration // how long an election lasts unless renewed: 5 s
	Lag      time.Duration // how long a group transfer's files have before the sweep: 2 min
	Resend   time.Duration // how often to ask the queue after a batch: 30 s
	Queues   []string      // queues whose groups to heal
	Handlers []string      // handlers whose groups to heal

	// Slots tells how many batches of a handler all live workers run at once;
	// nil, or 0, when nobody knows.
	Slots func(ctx context.Context, handler string) (int, error)

	// Elected runs each time this dispatcher comes to act; nil for nothing.
	Elected func(ctx context.Context) error

	// Completed is told of a transfer that ended because no step selected its
	// last files; nil for nobody.
	Completed func(ctx context.Context, transfer int64)

	Log *slog.Logger     // nil: discards
	Now func() time.Time // nil: time.Now
}

func (o DispatcherOptions) withDefaults() DispatcherOptions {
	orInt := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt(&o.Window, 64)
	orTime(&o.Interval, 100*time.Millisecond)
	orTime(&o.Lease, 5*time.Second)
	orTime(&o.Lag, 2*time.Minute)
	orTime(&o.Resend, 30*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

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

// resign lets another dispatcher act at once instead of when the lease ends.
func (d *Dispatcher) resign(ctx context.Context) {
	if !d.acting {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := d.ledger.Release(ctx, leaseName, d.opts.Holder); err != nil {
		d.opts.Log.WarnContext(ctx, "dispatcher: the lease stays until it ends", "error", err)
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

// stand takes or renews the lease when it is time to.
func (d *Dispatcher) stand(ctx context.Context) error {
	now := d.opts.Now()
	if now.Before(d.renewAt) {
		return nil
	}
	held, err := d.ledger.Acquire(ctx, leaseName, d.opts.Holder, d.opts.Lease)
	if err != nil {
		d.acting = false
		return fmt.Errorf("stand for election: %w", err)
	}
	d.renewAt = now.Add(d.opts.Lease / 3)
	if held && !d.acting && d.opts.Elected != nil {
		if err := d.opts.Elected(ctx); err != nil {
			d.renewAt = time.Time{}
			return fmt.Errorf("begin to act: %w", err)
		}
	}
	d.acting = held
	return nil
}

// healEvery is how often to look for stranded groups and dead producers.
const healEvery = 15 * time.Second

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
	p := d.pace(b.Transfer)
	room := p.room(b.Open, slots, d.opts.Window)
	p.filled = b.Files-b.Cursor > 0
	ripe := p.ripe(b, e.Policy(1), d.opts.Now())
	if room == 0 || ripe == 0 {
		return false, nil
	}
	return d.cut(ctx, b, e, min(ripe, cutMost, room*max(e.Policy(1).MaxItems, 1)), room, slots)
}

func (d *Dispatcher) slots(ctx context.Context, e *Entry) (int, error) {
	if d.opts.Slots == nil {
		return 0, nil
	}
	return d.opts.Slots(ctx, e.Step(1).Handler)
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

// cutMost is how many files one cut reads.
const cutMost = 20_000

func (d *Dispatcher) cut(ctx context.Context, b *Backlog, e *Entry, limit, room, slots int) (bool, error) {
	// A first step for every file needs no more than sizes.
	sizes := e.Step(1).Unconditional()
	files, err := d.ledger.FilesAfter(ctx, b.Transfer, b.Cursor, limit, sizes)
	if err != nil || len(files) == 0 {
		return false, err
	}
	p := planner{
		transfer: b.Transfer, queue: e.Queue, policy: sharing(e, b, slots), room: room,
		route: func(f *tasks.File) int { return e.Route(0, f, nil) },
	}
	planned := p.plan(files)
	c := Cut{Transfer: b.Transfer, From: b.Cursor, To: planned.to, Batches: planned.batches, Finished: planned.finished}
	completed, err := d.ledger.Cut(ctx, c)
	if err != nil {
		return false, err
	}
	if completed && d.opts.Completed != nil {
		d.opts.Completed(ctx, b.Transfer)
	}
	return true, enqueue(ctx, d.queue, c.Batches)
}

// sharing is the transfer's policy, tightened at its end so that every worker
// gets a part of what is left.
func sharing(e *Entry, b *Backlog, slots int) func(step int) Policy {
	most := 0
	if b.Sealed {
		most = share(b.Files-b.Cursor, slots)
	}
	return func(step int) Policy {
		p := e.Policy(step)
		if most > 0 && (p.MaxItems == 0 || most < p.MaxItems) {
			p.MaxItems = most
		}
		return p
	}
}
