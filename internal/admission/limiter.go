package admission

import (
	"context"
	"maps"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// The bounds.
const (
	LimitAdaptive LimitReason = "intake" // batches in hand, as the database's commits allow
	LimitInFlight LimitReason = "in flight"
	LimitRate     LimitReason = "files per second"
)

const (
	// patience is how long a batch waits in hand for room. One that would have to
	// wait longer goes back, and leaves its place to batches that may run.
	patience = 250 * time.Millisecond

	// shutFor is how long a batch stays away from a worker that has no share.
	shutFor = time.Second

	// throttleMost is how long a batch stays away at most: a bound that is lifted
	// is noticed as soon.
	throttleMost = 5 * time.Second

	// heardFor is how long a worker's parts are its own: soon after that it counts
	// as dead, and others take them.
	heardFor = 20 * time.Second
)

// Limiter lets batches in as far as the ceilings' parts of this worker and its
// intake allow. Make one with NewLimiter.
type Limiter struct {
	now         func() time.Time
	Concurrency func() int // how many batches may be in hand; 0 for any number

	mu     sync.Mutex
	inside int
	taken  map[string]int         // batches in hand by the ceilings that there are or may come
	parts  map[string]*limitShare // by ceiling
	heard  time.Time
	wake   chan struct{} // closed when there may be room
}

// limitShare is this worker's part of a ceiling, and what it has used of its rate.
type limitShare struct {
	ledger.LimitShare

	bucket *rate.Limiter // nil without a rate
}

func NewLimiter(now func() time.Time) *Limiter {
	return &Limiter{
		now: now, Concurrency: func() int { return 0 }, taken: make(map[string]int), parts: make(map[string]*limitShare),
		wake: make(chan struct{}),
	}
}

// Enter waits a moment for room for a batch that ceilings of these keys concern.
// It gives a *ThrottledError when there is none.
func (g *Limiter) Enter(ctx context.Context, keys []string, files int) (leave func(), err error) {
	give := time.NewTimer(patience)
	defer give.Stop()
	for {
		g.mu.Lock()
		full := g.full(keys, files)
		if full == nil {
			g.take(keys, files)
			g.mu.Unlock()
			return sync.OnceFunc(func() { g.leave(keys) }), nil
		}
		wake := g.wake
		g.mu.Unlock()
		if full.RetryAfter > patience {
			return nil, full
		}
		soon := time.NewTimer(full.RetryAfter)
		if full.RetryAfter == 0 {
			soon.Stop() // only somebody who leaves makes room
		}
		select {
		case <-wake:
		case <-soon.C:
		case <-give.C:
			soon.Stop()
			return nil, full
		case <-ctx.Done():
			soon.Stop()
			return nil, ctx.Err()
		}
		soon.Stop()
	}
}

// full says what keeps a batch out, nil when nothing does. The caller holds mu,
// as for what follows.
func (g *Limiter) full(keys []string, files int) *ThrottledError {
	if most := g.Concurrency(); most > 0 && g.inside >= most {
		return &ThrottledError{Reason: LimitAdaptive}
	}
	now := g.now()
	for _, k := range keys {
		p := g.parts[k]
		if p == nil {
			continue
		}
		switch {
		case p.InFlight == 0:
		case p.Share == 0 || now.Sub(g.heard) > heardFor:
			return &ThrottledError{Reason: LimitInFlight, Limit: k, RetryAfter: shutFor}
		case g.taken[k] >= p.Max:
			return &ThrottledError{Reason: LimitInFlight, Limit: k}
		}
		if wait := p.wait(now, files); wait > 0 {
			return &ThrottledError{Reason: LimitRate, Limit: k, RetryAfter: min(wait, throttleMost)}
		}
	}
	return nil
}

// wait is how long the files of a batch have to wait until those before them
// are paid for. More than fit into the bucket go when it is full, and are paid
// for by those that follow.
func (p *limitShare) wait(now time.Time, files int) time.Duration {
	if p.bucket == nil {
		return 0
	}
	missing := float64(min(files, p.bucket.Burst())) - p.bucket.TokensAt(now)
	if missing <= 1e-6 {
		return 0
	}
	return time.Duration(math.Ceil(missing / p.Rate * float64(time.Second)))
}

func (g *Limiter) take(keys []string, files int) {
	now := g.now()
	g.inside++
	for _, k := range keys {
		g.taken[k]++
		if p := g.parts[k]; p != nil && p.bucket != nil {
			for left := files; left > 0; left -= p.bucket.Burst() {
				p.bucket.ReserveN(now, min(left, p.bucket.Burst()))
			}
		}
	}
}

func (g *Limiter) leave(keys []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	for _, k := range keys {
		if g.taken[k]--; g.taken[k] == 0 {
			delete(g.taken, k)
		}
	}
	g.wakeAll()
}

// wakeAll has those who wait look again.
func (g *Limiter) wakeAll() {
	close(g.wake)
	g.wake = make(chan struct{})
}

// SetShares takes the worker's parts of the ceilings that there are now.
func (g *Limiter) SetShares(parts []ledger.LimitShare) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	old := g.parts
	g.parts, g.heard = make(map[string]*limitShare, len(parts)), now
	for i := range parts {
		p := &limitShare{LimitShare: parts[i]}
		if before := old[p.Key()]; before != nil {
			p.bucket = before.bucket
		}
		p.fill(now)
		g.parts[p.Key()] = p
	}
	g.wakeAll()
}

// fill sees to a bucket that holds a quarter of a second's files.
func (p *limitShare) fill(now time.Time) {
	if p.Rate <= 0 {
		p.bucket = nil
		return
	}
	burst := int(min(math.Ceil(p.Rate/4), math.MaxInt32))
	if p.bucket == nil {
		p.bucket = rate.NewLimiter(rate.Limit(p.Rate), burst)
		return
	}
	p.bucket.SetLimitAt(now, rate.Limit(p.Rate))
	p.bucket.SetBurstAt(now, burst)
}

// InUse is what the worker may have in hand of each ceiling until it hears the
// next answer: what it has, or its cap.
func (g *Limiter) InUse() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	held := maps.Clone(g.taken)
	for k, p := range g.parts {
		if p.InFlight > 0 {
			held[k] = max(held[k], p.Max)
		}
	}
	return held
}

// Unsettled reports whether parts are being handed from one worker to another.
func (g *Limiter) Unsettled() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, p := range g.parts {
		if p.InFlight > 0 && (p.Max < p.Share || g.taken[k] > p.Max) {
			return true
		}
	}
	return false
}

// Blocked reports whether no batch at all can be this worker's.
func (g *Limiter) Blocked() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.parts[tasks.LimitKey(tasks.ScopeAll, "")]
	return all != nil && all.InFlight > 0 && all.Share == 0
}
