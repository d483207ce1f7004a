package admission

import (
	"errors"
	"sync"
)

// ErrNoSlots sends a batch that takes several slots back to the queue at once, for a
// worker with free slots: this worker already has as many such batches as it can run.
var ErrNoSlots = errors.New("the worker has no room for a batch of this handler")

// Slots limits the batches of a worker that take several slots each: it
// holds no more of them, running or waiting for slots, than the host can run at
// the same time. Batches of one slot need no reservation: a SlotQueue gives each its turn. Make
// one with NewSlots.
type Slots struct {
	mu    sync.Mutex
	total int
	taken int
}

// NewSlots makes a reservation of a host's slots.
func NewSlots(total int) *Slots { return &Slots{total: total} }

// Reserve takes slots, and reports whether there were enough.
func (s *Slots) Reserve(slots int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken+slots > s.total {
		return false
	}
	s.taken += slots
	return true
}

// Release gives reserved slots back.
func (s *Slots) Release(slots int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken -= slots
}
