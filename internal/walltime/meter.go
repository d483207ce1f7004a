// Package walltime measures where the wall time of transfers goes. A worker measures what it
// does itself, in memory, and writes the sums with its heartbeats: that costs nothing per
// file, and no statement per batch. What the workers have written becomes the wall time of
// the transfer by Of.
package walltime

import (
	"context"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// MeterOptions are the settings of a Meter. All must be set.
type MeterOptions struct {
	Worker  string
	Slots   int
	Started time.Time        // by Now
	Now     func() time.Time // the clock of the database
}

// Meter measures the time of the transfers in one worker. Each moment counts once, however
// many batches run: it is divided equally among what they do. A batch that waits for slots
// counts only while no other of the transfer does anything here. While none is in the
// worker, the moment counts as waiting, once the next batch says for what. A nil Meter
// measures nothing. It is safe for concurrent use.
type Meter struct {
	MeterOptions

	mu       sync.Mutex
	accounts map[int64]*account // by transfer
	evicted  bool               // the first batch of a transfer may not be its first here
	quiet    *time.Timer
	changed  chan struct{}
}

// NewMeter makes a meter.
func NewMeter(o MeterOptions) *Meter {
	return &Meter{MeterOptions: o, accounts: make(map[int64]*account), changed: make(chan struct{}, 1)}
}

const (
	// quietAfter is how long nothing of a transfer has run when its times are written before
	// the next heartbeat.
	quietAfter = 100 * time.Millisecond

	// mostAccounts bounds the memory of a worker that lives for years.
	mostAccounts = 10_000
)

// account is the time of one transfer.
type account struct {
	active  map[activity]int // how many batches do it
	last    time.Time        // up to when the time is divided, by the monotonic clock
	refused refusal          // since the last batch began
	steps   map[int]*stepTime
	from    time.Time // by the clock of the database
	until   time.Time
	dirty   bool
}

type activity struct {
	step int
	part tasks.TimePart
}

// refusal is what kept a batch out.
type refusal struct {
	since time.Time // zero: nothing did
	part  tasks.TimePart
}

type stepTime struct {
	parts    tasks.TimeByPart
	handlers time.Duration
}

func (a *account) step(no int) *stepTime {
	if a.steps[no] == nil {
		a.steps[no] = new(stepTime)
	}
	return a.steps[no]
}

// advance divides the time since it was called last. While no batch is here it does nothing.
func (a *account) advance(now time.Time) {
	if len(a.active) == 0 {
		return
	}
	passed := now.Sub(a.last)
	a.last, a.dirty = now, true
	working, waiting := 0, 0
	for what, n := range a.active {
		if what.part == tasks.TimeSlots {
			waiting += n
		} else {
			working += n
		}
	}
	for what, n := range a.active {
		s := a.step(what.step)
		if what.part == tasks.TimeHandler {
			s.handlers += passed * time.Duration(n)
		}
		switch {
		case working == 0:
			s.parts[what.part] += passed * time.Duration(n) / time.Duration(waiting)
		case what.part != tasks.TimeSlots:
			s.parts[what.part] += passed * time.Duration(n) / time.Duration(working)
		}
	}
}

// change moves a batch from one activity to another; a negative step stands for none.
func (a *account) change(from, to activity) {
	if from.step >= 0 {
		if a.active[from]--; a.active[from] <= 0 {
			delete(a.active, from)
		}
	}
	if to.step >= 0 {
		a.active[to]++
	}
}

// none is the activity of a batch that is not here.
func none() activity { return activity{step: -1} }

// Refused says that a batch of a transfer was kept out since a time of the monotonic clock, by
// limits or for want of slots.
func (m *Meter) Refused(transfer int64, part tasks.TimePart, since time.Time) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.account(transfer)
	if a.refused.since.IsZero() {
		a.refused = refusal{since, part}
	}
}

// account finds or makes the account of a transfer.
func (m *Meter) account(transfer int64) *account {
	a := m.accounts[transfer]
	if a != nil {
		return a
	}
	if len(m.accounts) >= mostAccounts {
		m.evict()
	}
	a = &account{active: make(map[activity]int), steps: make(map[int]*stepTime)}
	m.accounts[transfer] = a
	return a
}

// evict forgets the account that has been quiet for longest.
func (m *Meter) evict() {
	oldest := int64(-1)
	for id, a := range m.accounts {
		if len(a.active) == 0 && !a.dirty && (oldest < 0 || a.last.Before(m.accounts[oldest].last)) {
			oldest = id
		}
	}
	if oldest >= 0 {
		delete(m.accounts, oldest)
		m.evicted = true
	}
}

// Lap is the way of one batch through the worker. A nil Lap measures nothing.
type Lap struct {
	meter    *Meter
	transfer int64
	now      activity
}

// Begin says that the worker has claimed a batch, and begins to load it. gap explains the
// time since the last batch of the transfer.
func (m *Meter) Begin(b *tasks.Batch, gap *ledger.Gap) *Lap {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	a, now, stamp := m.account(b.Transfer), time.Now(), m.Now()
	if a.last.IsZero() { // the first
		a.from = stamp
		if began := later(gap.TransferCreatedAt, m.Started); !m.evicted && began.Before(stamp) {
			a.from = began
		}
		a.last = now.Add(-stamp.Sub(a.from))
	}
	if len(a.active) == 0 {
		a.step(b.Step).wait(a, b, gap, now, stamp)
		a.last, a.dirty = now, true
	} else {
		a.advance(now)
	}
	a.refused = refusal{}
	l := &Lap{m, b.Transfer, activity{b.Step, tasks.TimeLoading}}
	a.change(none(), l.now)
	return l
}

// wait divides the time in which nothing of the transfer was here.
func (s *stepTime) wait(a *account, b *tasks.Batch, gap *ledger.Gap, now, stamp time.Time) {
	left := span{stamp.Add(-now.Sub(a.last)), stamp}
	take := func(part tasks.TimePart, from, until time.Time) {
		s.parts[part] += left.overlap(from, until)
	}
	pause := left.clip(gap.PausedFrom, gap.PausedUntil)
	s.parts[tasks.TimePaused] += pause.length()
	written := gap.BatchCreatedAt
	// The pause divides the time into what comes before and after it.
	for _, left = range []span{left.clip(left.from, pause.from), left.clip(pause.until, left.until)} {
		begin := stamp
		if !a.refused.since.IsZero() {
			begin = stamp.Add(-now.Sub(a.refused.since))
			take(a.refused.part, begin, stamp)
		}
		part := tasks.TimeQueue
		if b.Attempt > 1 {
			part = tasks.TimeRetry
		}
		ready := written
		if gap.ApprovedAt.After(written) {
			ready = earlier(gap.ApprovedAt, begin)
			take(tasks.TimeApproval, written, ready)
		}
		take(part, ready, begin)
		take(tasks.TimeNoBatch, left.from, earlier(written, begin))
	}
}

// span is a time between two stamps; empty when it does not end later than it begins.
type span struct{ from, until time.Time }

func (s span) length() time.Duration { return max(s.until.Sub(s.from), 0) }

// clip is the part of a span between two times. An empty one lies at the span's begin.
func (s span) clip(from, until time.Time) span {
	c := span{later(s.from, from), earlier(s.until, until)}
	if !c.until.After(c.from) {
		return span{s.from, s.from}
	}
	return c
}

func (s span) overlap(from, until time.Time) time.Duration { return s.clip(from, until).length() }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Enter says what the batch does from now on.
func (l *Lap) Enter(part tasks.TimePart) {
	if l == nil {
		return
	}
	l.meter.mu.Lock()
	defer l.meter.mu.Unlock()
	a := l.meter.accounts[l.transfer]
	a.advance(time.Now())
	to := activity{l.now.step, part}
	a.change(l.now, to)
	l.now = to
}

// End says that the batch has left the worker. It is called once.
func (l *Lap) End() {
	if l == nil {
		return
	}
	m := l.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.accounts[l.transfer]
	a.advance(time.Now())
	a.change(l.now, none())
	if len(a.active) > 0 {
		return
	}
	a.until = m.Now()
	if m.quiet == nil {
		m.quiet = time.AfterFunc(quietAfter, m.signal)
	} else {
		m.quiet.Reset(quietAfter)
	}
}

func (m *Meter) signal() {
	select {
	case m.changed <- struct{}{}:
	default:
	}
}

// Changed receives when nothing of a transfer has run for a moment, so that its times should
// be written. That of a nil Meter never does.
func (m *Meter) Changed() <-chan struct{} {
	if m == nil {
		return nil
	}
	return m.changed
}

// Store writes times.
type Store interface {
	AddWorkTimes(ctx context.Context, times []ledger.WorkTime) error
}

// Flush writes what was measured since the last call. After an error the next call writes it.
func (m *Meter) Flush(ctx context.Context, s Store) error {
	if m == nil {
		return nil
	}
	times := m.take()
	if len(times) == 0 {
		return nil
	}
	err := s.AddWorkTimes(ctx, times)
	if err != nil {
		m.putBack(times)
	}
	return err
}

func (m *Meter) take() (times []ledger.WorkTime) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, stamp := time.Now(), m.Now()
	for id, a := range m.accounts {
		a.advance(now)
		if len(a.active) > 0 {
			a.until = stamp
		}
		if !a.dirty {
			continue
		}
		for no, s := range a.steps {
			times = append(times, ledger.WorkTime{
				Transfer: id, Step: no, Worker: m.Worker, StartedAt: m.Started, Slots: m.Slots, From: a.from, Until: a.until,
				Parts: s.parts, Handlers: s.handlers,
			})
		}
		clear(a.steps)
		a.dirty = false
	}
	return times
}

func (m *Meter) putBack(times []ledger.WorkTime) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range times {
		t := &times[i]
		a := m.account(t.Transfer)
		a.dirty = true
		s := a.step(t.Step)
		s.handlers += t.Handlers
		for p, d := range t.Parts {
			s.parts[p] += d
		}
	}
}

// Close ends the timer of a meter whose batches have all ended.
func (m *Meter) Close() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.quiet != nil {
		m.quiet.Stop()
	}
}
