package baler

import (
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

// stopwatch measures by the monotonic clock how long the transfers that this process
// creates take. The stamps in the database are of the clock that people set.
type stopwatch struct {
	now func() time.Time // of the stamps

	mu   sync.Mutex
	runs map[string]measured // by UUID
}

type measured struct {
	begun time.Time     // with its monotonic reading
	took  time.Duration // zero until somebody who waited has seen the end
}

// clockSet is by how much a duration must be off to show that the clock was set: somebody
// who waits sees an end a little late.
const clockSet = 5 * time.Second

// mostMeasured bounds the memory of a process that creates transfers for years.
const mostMeasured = 1000

func (s *stopwatch) start(t tasks.Transfer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs == nil || len(s.runs) >= mostMeasured {
		s.runs = make(map[string]measured)
	}
	s.runs[t.UUID] = measured{begun: time.Now()}
}

// correct says how long a transfer took if its stamps cannot be right. waiting says that
// somebody has waited for what t says.
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
