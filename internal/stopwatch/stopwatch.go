// Package stopwatch measures how long the transfers of this process take, whatever the
// clock of the host is set to meanwhile.
package stopwatch

import (
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Stopwatch measures by the monotonic clock how long the transfers of this process take.
// The times in the database are by a wall clock, which people may set. It is safe for
// concurrent use once Now is set.
type Stopwatch struct {
	Now func() time.Time // the clock of the times in the database

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

// Start begins to measure a transfer.
func (s *Stopwatch) Start(t tasks.Transfer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.runs == nil || len(s.runs) >= mostMeasured {
		s.runs = make(map[string]measured)
	}
	s.runs[t.UUID] = measured{begun: time.Now()}
}

// Correct sets the duration of a transfer if its times in the database cannot be right.
// waiting says that the caller has waited for the state in t.
func (s *Stopwatch) Correct(t *tasks.Transfer, waiting bool) {
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
		end, exact = s.Now(), true
	}
	stamped := end.Sub(t.CreatedAt) - t.ClockShift
	if stamped > took+clockSet || exact && stamped < took-clockSet {
		t.Took = took
	}
	if waiting && t.State.Ended() {
		m.took = took
		s.runs[t.UUID] = m
	}
}
