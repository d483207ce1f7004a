package admission

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// The kinds of limits.
const (
	LimitInFlight LimitReason = "in flight"
	LimitRate     LimitReason = "files per second"
)

const (
	// patience is how long a batch waits here for a limit. A batch that would have to
	// wait longer goes back to the queue, so that others can run.
	patience = 250 * time.Millisecond

	// ratePatience is patience for tokens of a rate. When each worker's part of a rate is small,
	// a batch waits longer for its tokens than patience, and if all batches went back, tokens
	// would be lost that no batch is there to take.
	ratePatience = 500 * time.Millisecond

	// blockedDelay is the delay before a batch is tried again when this worker has no share.
	// The batch goes back at once, and the delay is short, so that the batch soon comes to a
	// worker that has one.
	blockedDelay = 300 * time.Millisecond

	// crowdDelay is the further delay for each batch that a limit has kept out within the
	// last second, so that many of them do not keep the workers busy.
	crowdDelay = 10 * time.Millisecond

	// wantTime is how long after its last batch a worker wants a share of a limit.
	wantTime = 15 * time.Second

	// maxDelay is the longest delay before a batch is tried again, so that a lifted
	// limit is noticed.
	maxDelay = 5 * time.Second

	// sharesValid is how long a worker may use its shares of batches: soon after that it
	// counts as dead, and other workers get them. For files a second see
	// ledger.RateShareValid.
	sharesValid = 20 * time.Second
)

// Limiter admits batches within this worker's shares of the limits. Make one with
// NewLimiter.
type Limiter struct {
	now    func() time.Time
	places int // batches that the worker takes at once; 0: not known

	mu      sync.Mutex
	taken   map[string]int         // running batches, by the keys of limits that exist or may be set
	shares  map[string]*limitShare // by key of the limit
	updated time.Time              // when the worker asked for its shares
	wake    chan struct{}          // closed when there may be room
	refused map[string]time.Time   // when a limit last kept a batch out; by its key
	crowds  map[string]*crowd      // by key of the limit
	claims  map[string]*claims     // by key of the limit

	inside, waiting int                  // batches
	asked           map[string]time.Time // when a batch last asked for room; by key of the limit
	reported        map[string]bool      // limits of which the worker has asked for a share
	wanting         chan struct{}        // has a value when it needs a share that it has not asked for
}

// crowd counts the batches that a limit has kept out since a time.
type crowd struct {
	since time.Time
	n     int
}

// limitShare is this worker's share of a limit, and its use of the rate.
type limitShare struct {
	ledger.LimitShare

	bucket *rate.Limiter // nil without a rate, unless it is in debt

	lowered bool // others may get the rest of the rate once the worker has reported it
}

// NewLimiter makes a limiter without limits, for a worker that takes a number of batches at
// once; 0 when that is not known.
func NewLimiter(now func() time.Time, places int) *Limiter {
	return &Limiter{
		now: now, places: places, taken: make(map[string]int), shares: make(map[string]*limitShare),
		wake: make(chan struct{}), refused: make(map[string]time.Time), crowds: make(map[string]*crowd),
		asked: make(map[string]time.Time), wanting: make(chan struct{}, 1),
	}
}

// Entrant is a batch that asks for admission.
type Entrant struct {
	Batch int64
	Keys  []string // of the limits on it
	Files int

	// Promoted reports whether the batch goes before others. It is called when the batch cannot
	// be admitted at once; nil: it does not.
	Promoted func(ctx context.Context) bool
}

// Enter waits a moment until the limits admit a batch. It returns a *ThrottledError when they
// do not. The caller calls leave, at least once, when the batch has ended. A promoted batch
// that is kept out claims the next room of the limit, also while it is back in the queue.
// A batch does not wait on the last place of the worker, unless the limit is on everything:
// others could run there.
func (l *Limiter) Enter(ctx context.Context, e Entrant) (leave func(), err error) {
	began := time.Now()
	asked, promoted := e.Promoted == nil, false
	keys := withHostKeys(e.Keys)
	l.count(&l.waiting, 1)
	defer l.count(&l.waiting, -1)
	for {
		l.mu.Lock()
		l.ask(e.Keys)
		full := l.full(keys, e.Files)
		if full == nil {
			full = l.claimed(keys, e.Batch)
		}
		if full != nil && promoted {
			l.claim(full, e.Batch)
		}
		if full == nil {
			l.take(keys, e.Files)
			l.settleClaims(keys, e.Batch)
			l.mu.Unlock()
			return sync.OnceFunc(func() { l.leave(keys) }), nil
		}
		wake := l.wake
		blocks := l.places > 0 && l.inside+l.waiting >= l.places && full.Limit != tasks.LimitKey(tasks.ScopeAll, "")
		l.mu.Unlock()
		if !asked {
			asked, promoted = true, e.Promoted(ctx)
			continue
		}
		left := full.patience() - time.Since(began)
		if blocks || full.blocked || full.RetryAfter > left || left <= 0 {
			return nil, l.refuse(full)
		}
		give := time.NewTimer(left)
		soon := time.NewTimer(full.RetryAfter)
		if full.RetryAfter == 0 {
			soon.Stop() // only a batch that leaves makes room
		}
		select {
		case <-wake:
		case <-soon.C:
		case <-give.C:
			soon.Stop()
			return nil, l.refuse(full)
		case <-ctx.Done():
			soon.Stop()
			give.Stop()
			return nil, ctx.Err()
		}
		soon.Stop()
		give.Stop()
	}
}

// refuse notes which limit keeps a batch out.
func (l *Limiter) refuse(full *ThrottledError) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.refused[full.Limit] = now
	c := l.crowds[full.Limit]
	if c == nil || now.Sub(c.since) > time.Second {
		c = &crowd{since: now}
		l.crowds[full.Limit] = c
	}
	c.n++
	full.RetryAfter = max(full.RetryAfter, min(time.Duration(c.n)*crowdDelay, maxDelay))
	return full
}

// withHostKeys adds the keys under which a worker counts batches for the limits by host.
func withHostKeys(keys []string) []string {
	all := slices.Clone(keys)
	for _, k := range keys {
		all = append(all, tasks.HostLimitKey(k))
	}
	return all
}

func (l *Limiter) count(what *int, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*what += by
}

// ask notes that a batch asks for room. The caller holds mu.
func (l *Limiter) ask(keys []string) {
	now := l.now()
	for _, k := range keys {
		l.asked[k] = now
		if !l.reported[k] && l.limited(k) && k != tasks.LimitKey(tasks.ScopeAll, "") {
			select {
			case l.wanting <- struct{}{}:
			default: // it knows already
			}
		}
	}
}

// limited reports whether a limit is set. The caller holds mu.
func (l *Limiter) limited(key string) bool {
	return l.shares[key] != nil || l.shares[tasks.HostLimitKey(key)] != nil
}

// Wanting has a value when the worker needs a share of a limit that it has not asked for.
func (l *Limiter) Wanting() <-chan struct{} { return l.wanting }

// Wanted lists the keys of the limits of which the worker needs a share: batches have asked
// for room within wantTime, or run.
func (l *Limiter) Wanted() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := l.now().Add(-wantTime)
	maps.DeleteFunc(l.asked, func(k string, at time.Time) bool { return at.Before(since) && l.taken[k] == 0 })
	l.reported = make(map[string]bool)
	for k := range l.asked {
		l.reported[k] = l.limited(k)
	}
	maps.DeleteFunc(l.reported, func(_ string, limited bool) bool { return !limited })
	return slices.Sorted(maps.Keys(l.reported))
}

// Throttled lists the keys of limits that have kept batches out within a time. It forgets
// what was longer ago.
func (l *Limiter) Throttled(within time.Duration) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := l.now().Add(-within)
	maps.DeleteFunc(l.refused, func(_ string, at time.Time) bool { return at.Before(since) })
	return slices.Sorted(maps.Keys(l.refused))
}

// full returns the limit that keeps a batch out, or nil. The caller holds mu, as for
// the methods below.
func (l *Limiter) full(keys []string, files int) *ThrottledError {
	now := l.now()
	for _, k := range keys {
		p := l.shares[k]
		if p == nil {
			continue
		}
		switch {
		case p.FilesPerSecond > 0 && (p.Rate == 0 || l.ratesExpired(now)):
			return &ThrottledError{Reason: LimitRate, Limit: k, RetryAfter: blockedDelay, blocked: true}
		case p.InFlight == 0:
		case p.Share == 0 || now.Sub(l.updated) > sharesValid:
			return &ThrottledError{Reason: LimitInFlight, Limit: k, RetryAfter: blockedDelay, blocked: true}
		case l.taken[k] >= p.Max:
			return &ThrottledError{Reason: LimitInFlight, Limit: k}
		}
		if wait := p.wait(now, files); wait > 0 {
			return &ThrottledError{Reason: LimitRate, Limit: k, RetryAfter: min(wait, maxDelay)}
		}
	}
	return nil
}

// ratesExpired reports whether others may have the worker's shares of files a second by now.
func (l *Limiter) ratesExpired(now time.Time) bool {
	return now.Sub(l.updated) > ledger.RateShareValid
}

// wait is how long a batch waits for tokens. A batch larger than the bucket starts
// when the bucket is full and leaves it in debt.
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

func (l *Limiter) take(keys []string, files int) {
	now := l.now()
	l.inside++
	for _, k := range keys {
		l.taken[k]++
		if p := l.shares[k]; p != nil && p.bucket != nil {
			for left := files; left > 0; left -= p.bucket.Burst() {
				p.bucket.ReserveN(now, min(left, p.bucket.Burst()))
			}
		}
	}
}

func (l *Limiter) leave(keys []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inside--
	for _, k := range keys {
		if l.taken[k]--; l.taken[k] == 0 {
			delete(l.taken, k)
		}
	}
	l.wakeAll()
}

// wakeAll wakes all waiters.
func (l *Limiter) wakeAll() {
	close(l.wake)
	l.wake = make(chan struct{})
}

// SetShares sets the worker's shares of the limits that exist now. The worker asked for them
// some time ago, when InUse was called: other workers count from then how long the shares are
// valid.
func (l *Limiter) SetShares(shares []ledger.LimitShare, ago time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	old := l.shares
	l.shares, l.updated = make(map[string]*limitShare, len(shares)), now.Add(-ago)
	for i := range shares {
		p := &limitShare{LimitShare: shares[i]}
		if before := old[p.Key()]; before != nil {
			p.bucket, p.lowered = before.bucket, p.Rate < before.Rate
		}
		p.resize(now)
		l.shares[p.Key()] = p
	}
	maps.DeleteFunc(l.crowds, func(k string, _ *crowd) bool { return l.shares[k] == nil })
	maps.DeleteFunc(l.claims, func(k string, _ *claims) bool { return l.shares[k] == nil })
	l.wakeAll()
}

// resize gives the share a bucket that holds the files of a quarter of a second. The bucket
// is full at first when the worker has the whole rate; else it is empty, because the worker
// from which the share comes has used its own. A share that is lost for a while keeps its
// debt.
func (p *limitShare) resize(now time.Time) {
	if p.Rate <= 0 && (p.bucket == nil || p.bucket.TokensAt(now) >= 0) {
		p.bucket = nil
		return
	}
	burst := int(min(math.Ceil(p.Rate/4), math.MaxInt32))
	if p.bucket == nil {
		p.bucket = rate.NewLimiter(rate.Limit(p.Rate), burst)
		if p.Rate < p.FilesPerSecond {
			p.bucket.ReserveN(now, burst)
		}
		return
	}
	p.bucket.SetLimitAt(now, rate.Limit(p.Rate))
	p.bucket.SetBurstAt(now, burst)
}

// InUse is how many batches of each limit the worker may run until its shares are
// set next: those that run, or its share's maximum.
func (l *Limiter) InUse() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := maps.Clone(l.taken)
	for k, p := range l.shares {
		if p.InFlight > 0 {
			held[k] = max(held[k], p.Max)
		}
	}
	return held
}

// RatesInUse is how many files a second of each limit the worker may start until its shares
// are set next.
func (l *Limiter) RatesInUse() map[string]float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	rates := make(map[string]float64)
	if l.ratesExpired(l.now()) {
		return rates
	}
	for k, p := range l.shares {
		if p.Rate > 0 {
			rates[k] = p.Rate
		}
	}
	return rates
}

// rateMoves reports whether a part of the rate is moving to this worker or from it. Rounding
// is no such part.
func (p *limitShare) rateMoves() bool {
	return p.lowered || p.Rate < 0.999*p.RateShare
}

// Unsettled reports whether shares are moving from one worker to another, or the worker needs
// one that it has not asked for.
func (l *Limiter) Unsettled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, p := range l.shares {
		if p.InFlight > 0 && (p.Max < p.Share || l.taken[k] > p.Max) || p.rateMoves() {
			return true
		}
		if wanted := tasks.LimitKey(p.Scope, p.Name); p.Scope != tasks.ScopeAll && !l.reported[wanted] && !l.asked[wanted].IsZero() {
			return true
		}
	}
	return false
}

// Blocked reports whether the limits leave this worker no batch at all.
func (l *Limiter) Blocked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.shares[tasks.LimitKey(tasks.ScopeAll, "")]
	return all != nil && all.InFlight > 0 && all.Share == 0
}
