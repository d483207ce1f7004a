package recorder

import (
	"context"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/metrics"
	"github.com/balerhq/baler/internal/store"
)

// adaptation sets the concurrency of a recorder and its worker.
type adaptation struct {
	flushers int // maximum
	batches  int // maximum
	set      func(flushers int)
	metrics  *metrics.Worker
	now      func() time.Time

	mu   sync.Mutex
	aimd *aimd
}

func newAdaptation(o *Options, set func(flushers int)) *adaptation {
	a := &adaptation{flushers: o.Flushers, batches: o.Adapt, set: set, metrics: o.Metrics, now: o.Now, aimd: newAIMD(o.Adapt)}
	a.metrics.SetConcurrency(a.flushers, a.batches, 1)
	return a
}

// record commits, and adapts to how long it took.
func (a *adaptation) record(
	ctx context.Context, s *store.Store, recs []*ledger.BatchCompletion,
) ([]ledger.CompletionResult, error) {
	if a == nil {
		return s.Record(ctx, recs)
	}
	results := 0
	for _, r := range recs {
		results += len(r.Results)
	}
	begun := a.now()
	done, err := s.Record(db.WithConflictHook(ctx, func(error) { a.onContention(ReasonConflicts) }), recs)
	switch {
	case err == nil:
		a.committed(results, a.now().Sub(begun))
	case !db.IsRejected(err) && ctx.Err() == nil: // a rejected row is no sign of a slow database
		a.onContention(ReasonRejected)
	}
	return done, err
}

func (a *adaptation) committed(results int, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.aimd.committed(results, took, a.now()) {
		a.metrics.SlowedDown(string(ReasonSlowCommits))
	}
	a.apply()
}

func (a *adaptation) onContention(why BackoffReason) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.aimd.onContention(why, a.now()) {
		a.metrics.SlowedDown(string(why))
	}
	a.apply()
}

// apply sets the concurrency. The caller holds mu.
func (a *adaptation) apply() {
	flushers, batches := a.aimd.of(a.flushers), a.aimd.of(a.batches)
	a.set(flushers)
	a.metrics.SetConcurrency(flushers, batches, a.aimd.pressure)
}

// Concurrency is how many batches the worker should run at once, as far as the
// database is concerned; 0 for any number.
func (r *Recorder) Concurrency() int {
	if r.adapts == nil {
		return 0
	}
	r.adapts.mu.Lock()
	defer r.adapts.mu.Unlock()
	if n := r.adapts.aimd.of(r.adapts.batches); n < r.adapts.batches {
		return n
	}
	return 0 // as many as the worker takes
}
