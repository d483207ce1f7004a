package cost

import (
	"math"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

// Key identifies a kind of work: a handler with certain arguments. The same handler may
// take a hundred times as long with another size or algorithm; the step's name and the
// transfer do not matter.
type Key struct {
	Handler string
	With    string // digest of the step's arguments as the recipe has them; empty without
}

// Observations is what one worker has measured of a key.
type Observations struct {
	Key
	Sums

	Worker string
	At     time.Time // of the last batch that is in it
}

// Estimate is the estimated cost of a key. The zero value means that nothing is known.
type Estimate struct {
	Cost

	Known   bool
	Seconds float64 // of measured work, older work weighted less
}

// Model learns what handlers cost from the batches that run in this process and from
// what other workers have learnt. A nil *Model learns and knows nothing. It is safe for
// concurrent use; make one with NewModel.
type Model struct {
	worker string
	now    func() time.Time
	news   chan struct{}

	mu      sync.Mutex
	own     *lru.LRU[Key, *ownCosts]
	others  map[Key]Observations // merged
	started bool                 // others were loaded before
}

// ownCosts is what this process has measured of a key.
type ownCosts struct {
	Sums

	at      time.Time
	batches int
	changed bool // since the last TakeChanged
}

// maxCostKeys is how many keys a process remembers: those it has measured last.
const maxCostKeys = 256

// halfLife is the age at which a measurement has half the weight of a new one.
const halfLife = time.Hour

// NewModel makes the model of a worker.
func NewModel(worker string, now func() time.Time) *Model {
	own, err := lru.NewLRU[Key, *ownCosts](maxCostKeys, nil)
	if err != nil {
		panic(err) // the size is positive
	}
	return &Model{worker: worker, now: now, news: make(chan struct{}, 1), own: own, others: make(map[Key]Observations)}
}

// Observe adds a batch that ran to its end.
func (s *Model) Observe(k Key, files int, bytes int64, took time.Duration) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o, known := s.own.Get(k)
	if !known {
		o = new(ownCosts)
		s.own.Add(k, o)
	}
	o.Add(files, bytes, took.Seconds())
	o.at, o.changed = s.now(), true
	o.batches++
	if o.batches&(o.batches-1) == 0 { // the 1st, 2nd, 4th, 8th …: early measurements change the estimate most
		select {
		case s.news <- struct{}{}:
		default: // a notification is pending already
		}
	}
}

// Changed receives when changes should soon be sent to other workers.
func (s *Model) Changed() <-chan struct{} { return s.news }

// TakeChanged returns what this process has measured since the last call.
func (s *Model) TakeChanged() []Observations {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Observations
	for _, k := range s.own.Keys() {
		if o, _ := s.own.Peek(k); o.changed {
			o.changed = false
			all = append(all, Observations{Key: k, Sums: o.Sums, Worker: s.worker, At: o.at})
		}
	}
	return all
}

// MarkChanged returns changes that could not be sent: the next TakeChanged includes them.
func (s *Model) MarkChanged(changes []Observations) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range changes {
		if o, known := s.own.Peek(changes[i].Key); known {
			o.changed = true
		}
	}
}

// Merge replaces the measurements of other workers. The first call also takes over
// those that an earlier process with this worker's name has left.
func (s *Model) Merge(all []Observations) {
	others := make(map[Key]Observations)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range all {
		l := all[i]
		if l.Worker != s.worker {
			others[l.Key] = merge(others[l.Key], l)
			continue
		}
		if !s.own.Contains(l.Key) && !s.started && s.own.Len() < maxCostKeys {
			s.own.Add(l.Key, &ownCosts{Sums: l.Sums, at: l.At})
		}
	}
	s.others, s.started = others, true
}

// merge adds two Observations, the older one with less weight. The estimated costs do not
// change when both are equally old.
func merge(a, b Observations) Observations {
	if a.At.Before(b.At) {
		a, b = b, a
	}
	older := math.Exp2(-a.At.Sub(b.At).Seconds() / halfLife.Seconds())
	a.Sums = a.plus(b.times(older))
	return a
}

// Estimate returns the estimate of a key.
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
	if o, known := s.own.Peek(k); known {
		sum = merge(sum, Observations{Sums: o.Sums, At: o.at})
	}
	c, known := sum.Solve()
	return Estimate{Cost: c, Known: known, Seconds: sum.Seconds}
}

// Each calls f with every key that has an estimate.
func (s *Model) Each(f func(Key, Estimate)) {
	all := make(map[Key]Estimate)
	s.mu.Lock()
	for k := range s.others {
		all[k] = s.estimate(k)
	}
	for _, k := range s.own.Keys() {
		all[k] = s.estimate(k)
	}
	s.mu.Unlock()
	for k, e := range all {
		if e.Known {
			f(k, e)
		}
	}
}
