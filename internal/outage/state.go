package outage

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// state is what all watches of a service share.
type state struct {
	service Service
	down    atomic.Bool // whether failing has entries; read without the lock

	mu       sync.Mutex
	failing  map[string]failure // by what was tried
	since    time.Time
	saidAt   time.Time
	failures int
	cause    error // of the last failure
}

// failure is the last failure of one use, and how long it counts.
type failure struct {
	at     time.Time
	forget time.Duration
}

func newState(s Service) *state { return &state{service: s, failing: make(map[string]failure)} }

func (s *state) failed(ctx context.Context, w *Watch, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	first := len(s.failing) == 0
	if first {
		s.since, s.failures = now, 0
	}
	s.failing[w.doing] = failure{now, w.forget}
	s.down.Store(true)
	s.failures++
	s.cause = err
	switch {
	case first:
		w.log.WarnContext(ctx, string(s.service)+" fails; Baler retries until it works again", "doing", w.doing, "error", err)
	case now.Sub(s.saidAt) >= repeat:
		w.log.WarnContext(ctx, string(s.service)+" still fails", "for", now.Sub(s.since).Round(time.Second), "failures", s.failures,
			"doing", w.doing, "error", err)
	default:
		return
	}
	s.saidAt = now
}

func (s *state) answered(ctx context.Context, w *Watch) {
	if !s.down.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	delete(s.failing, w.doing)
	for doing, f := range s.failing {
		if now.Sub(f.at) > f.forget {
			delete(s.failing, doing)
		}
	}
	if len(s.failing) > 0 || !s.down.Load() {
		return
	}
	s.down.Store(false)
	// A warning, so that a log at this level that shows the beginning also shows the end.
	w.log.WarnContext(ctx, string(s.service)+" works again", "after", now.Sub(s.since).Round(time.Second), "failures", s.failures)
}

// Failing returns the error with which a service fails now, as the watches of a log have
// reported it; nil when it works, or when none of them uses it.
func Failing(log *slog.Logger, service Service) error {
	h, ok := log.Handler().(sharing)
	if !ok || h.states[service] == nil || !h.states[service].down.Load() {
		return nil
	}
	s := h.states[service]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cause
}

// sharing is a log handler that carries the states of a process's services.
type sharing struct {
	slog.Handler

	states map[Service]*state
}

// Share makes a log whose watches report together, also those of logs made from it.
func Share(log *slog.Logger) *slog.Logger {
	if _, ok := log.Handler().(sharing); ok {
		return log
	}
	return slog.New(sharing{log.Handler(), map[Service]*state{Database: newState(Database), Redis: newState(Redis)}})
}

// WithAttrs implements slog.Handler.
func (h sharing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sharing{h.Handler.WithAttrs(attrs), h.states}
}

// WithGroup implements slog.Handler.
func (h sharing) WithGroup(name string) slog.Handler {
	return sharing{h.Handler.WithGroup(name), h.states}
}

func stateOf(log *slog.Logger, s Service) *state {
	if h, ok := log.Handler().(sharing); ok && h.states[s] != nil {
		return h.states[s]
	}
	return newState(s)
}
