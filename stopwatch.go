package baler

import (
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

// stopwatch measures by the monotonic clock how long the transfers of this process take.
// The times in the database are by a wall clock, which people may set.
type stopwatch struct {
	now func() time.Time // the clock of the times in the database

	mu   sync.Mutex
	runs map[string]measured // by UUID
}

type measured struct {
	begun time.Time     // with its monotonic reading
	took  time.Duration // zero until a caller who waited has read the end
}

// clockSet is the difference from which on the clock must have been set. A smaller
// difference is normal: a caller who waits reads the end a little late.
const clockSet = 5 * time.Second

// mostMeasured limits the memory of a process that creates transfers for years.
const mostMeasured = 1000

func (s *stopwatch) start(t tasks.Transfer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs == nil || len(s.runs) >= mostMeasured {
		s.runs = make(map[string]measured)
	}
	s.runs[t.UUID] = measured{begun: time.Now()}
}

// correct sets the duration of a transfer if its times in the database cannot be right.
// waiting says that the caller has waited for the state in t.
func (s *stopwatch) correct(t *tasks.Transfer, waiting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.runs[t.UUID]
	if !ok {
		return
	}
	took, exact := m.took, m.took > 0 || waiting
	if took == 0 || !t.State.Ended() {
		took = time.Since(m.begun)
	}
	end := t.EndedAt
	if end.IsZero() {
		end, exact = s.now(), true
	}
	stamped := end.Sub(t.CreatedAt)
	if stamped > took+clockSet || exact && stamped < took-clockSet {
		t.Took = took
	}
	if waiting && t.State.Ended() {
		m.took = took
		s.runs[t.UUID] = m
	}
}
