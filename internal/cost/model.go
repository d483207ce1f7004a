package cost

import (
	"math"
	"sync"
	"time"
)

// Key is what costs are learnt for: a handler with certain arguments. The same
// handler may take a hundred times as long when it is asked for another size or
// another algorithm; a step's name and its transfer change nothing.
type Key struct {
	Handler string
	With    string // digest of the step's arguments as the recipe has them; empty without
}

// Stats is what one worker has learnt of a kind.
type Stats struct {
	Key
	Sums

	Worker string
	At     time.Time // of the last batch that is in it
}

// Estimate is what a kind of work is believed to cost. The zero value says that
// nothing is known.
type Estimate struct {
	Cost

	Known   bool
	Seconds float64 // of work that it rests on, older work counting for less
}

// Model learns what handlers cost from the batches that run in this process and
// from what other workers have learnt. A nil *Sizer learns and knows nothing.
// It is safe for concurrent use; make one with NewModel.
type Model struct {
	worker string
	now    func() time.Time
	news   chan struct{}

	mu      sync.Mutex
	own     map[Key]*ownCosts
	others  map[Key]Stats // all of them together
	started bool          // others were loaded once
}

// ownCosts is what this process has learnt of a kind.
type ownCosts struct {
	Sums

	at      time.Time
	batches int
	changed bool // since it was last given away
}

// maxCostKeys is how many kinds a process remembers; those that have not been
// seen for longest are forgotten.
const maxCostKeys = 256

// halfLife is after how long something learnt counts half as much as something
// that was learnt just now.
const halfLife = time.Hour

// NewModel makes a sizer of a worker.
func NewModel(worker string, now func() time.Time) *Model {
	return &Model{
		worker: worker, now: now, news: make(chan struct{}, 1), own: make(map[Key]*ownCosts), others: make(map[Key]Stats),
	}
}

// Observe takes in a batch that was run to its end.
func (s *Model) Observe(k Key, files int, bytes int64, took time.Duration) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.own[k]
	if o == nil {
		s.evict()
		o = new(ownCosts)
		s.own[k] = o
	}
	o.Add(files, bytes, took.Seconds())
	o.at, o.changed = s.now(), true
	o.batches++
	if o.batches&(o.batches-1) == 0 { // the 1st, 2nd, 4th, 8th …: the fewer there were, the more one tells
		select {
		case s.news <- struct{}{}:
		default: // that there is news is known already
		}
	}
}

// Changed has something when others should soon hear what was learnt.
func (s *Model) Changed() <-chan struct{} { return s.news }

// evict forgets the kind that was seen longest ago when there are too many.
func (s *Model) evict() {
	if len(s.own) < maxCostKeys {
		return
	}
	var oldest Key
	for k, o := range s.own {
		if old, ok := s.own[oldest]; !ok || o.at.Before(old.at) {
			oldest = k
		}
	}
	delete(s.own, oldest)
}

// TakeChanged gives what this process has learnt since it was last asked.
func (s *Model) TakeChanged() []Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Stats
	for k, o := range s.own {
		if o.changed {
			o.changed = false
			all = append(all, Stats{Key: k, Sums: o.Sums, Worker: s.worker, At: o.at})
		}
	}
	return all
}

// MarkChanged says that changes could not be given away: they are asked for again.
func (s *Model) MarkChanged(changes []Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range changes {
		if o := s.own[changes[i].Key]; o != nil {
			o.changed = true
		}
	}
}

// Merge replaces what is known of other workers. What an earlier process of this
// worker's name has left is taken over, the first time.
func (s *Model) Merge(all []Stats) {
	others := make(map[Key]Stats)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range all {
		l := all[i]
		if l.Worker != s.worker {
			others[l.Key] = merge(others[l.Key], l)
			continue
		}
		if _, known := s.own[l.Key]; !known && !s.started && len(s.own) < maxCostKeys {
			s.own[l.Key] = &ownCosts{Sums: l.Sums, at: l.At}
		}
	}
	s.others, s.started = others, true
}

// merge adds two up, the older one counting for less: what it says of the
// costs stays the same when both are old.
func merge(a, b Stats) Stats {
	if a.At.Before(b.At) {
		a, b = b, a
	}
	older := math.Exp2(-a.At.Sub(b.At).Seconds() / halfLife.Seconds())
	a.Sums = a.plus(b.times(older))
	return a
}

// Estimate tells what is known of a kind.
func (s *Model) Estimate(k Key) Estimate {
	if s == nil {
		return Estimate{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.estimate(k)
}

func (s *Model) estimate(k Key) Estimate {
	sum := s.others[k]
	if o := s.own[k]; o != nil {
		sum = merge(sum, Stats{Sums: o.Sums, At: o.at})
	}
	c, known := sum.Solve()
	return Estimate{Cost: c, Known: known, Seconds: sum.Seconds}
}

// Each calls f with every kind of which something is known.
func (s *Model) Each(f func(Key, Estimate)) {
	all := make(map[Key]Estimate)
	s.mu.Lock()
	for k := range s.others {
		all[k] = s.estimate(k)
	}
	for k := range s.own {
		all[k] = s.estimate(k)
	}
	s.mu.Unlock()
	for k, e := range all {
		if e.Known {
			f(k, e)
		}
	}
}
