package recorder

import (
	"context"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/metrics"
	"github.com/balerhq/baler/store"
)

// adaptation has a recorder do as much at once as its tempo says.
type adaptation struct {
	flushers int // at the most
	intake   int // at the most
	set      func(flushers int)
	metrics  *metrics.Worker
	now      func() time.Time

	mu    sync.Mutex
	tempo *aimd
}

func newAdaptation(o *Options, set func(flushers int)) *adaptation {
	a := &adaptation{flushers: o.Flushers, intake: o.Adapt, set: set, metrics: o.Metrics, now: o.Now, tempo: newAIMD(o.Adapt)}
	a.metrics.SetConcurrency(a.flushers, a.intake, 1)
	return a
}

// record commits, and learns from how that went.
func (a *adaptation) record(ctx context.Context, s *store.Store, recs []*ledger.BatchCompletion) error {
	if a == nil {
		return s.Record(ctx, recs)
	}
	results := 0
	for _, r := range recs {
		results += len(r.Results)
	}
	begun := a.now()
	err := s.Record(store.WithConflictHook(ctx, func(error) { a.onContention(ReasonConflicts) }), recs)
	switch {
	case err == nil:
		a.committed(results, a.now().Sub(begun))
	case !store.IsRejected(err) && ctx.Err() == nil: // what is refused is the data's fault
		a.onContention(ReasonRejected)
	}
	return err
}

func (a *adaptation) committed(results int, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tempo.committed(results, took, a.now()) {
		a.metrics.SlowedDown(string(ReasonSlowCommits))
	}
	a.apply()
}

func (a *adaptation) onContention(why BackoffReason) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.tempo.onContention(why, a.now()) {
		a.metrics.SlowedDown(string(why))
	}
	a.apply()
}

// apply carries the tempo out. The caller holds mu.
func (a *adaptation) apply() {
	flushers, intake := a.tempo.of(a.flushers), a.tempo.of(a.intake)
	a.set(flushers)
	a.metrics.SetConcurrency(flushers, intake, a.tempo.pressure)
}

// Concurrency is how many batches a worker should have in hand at once, as far as
// the database is concerned; 0 for any number.
func (r *Recorder) Concurrency() int {
	if r.adapts == nil {
		return 0
	}
	r.adapts.mu.Lock()
	defer r.adapts.mu.Unlock()
	return r.adapts.tempo.of(r.adapts.intake)
}
