package handlers

import (
	"context"
	"errors"
	"sync"

	"github.com/balerhq/baler/tasks"
)

// ErrNoSlots sends a batch back to the queue at once, for a worker that has room
// for it: it takes more than one slot, and this worker has such batches enough.
var ErrNoSlots = errors.New("the worker has no room for a batch of this handler")

// slotReservation keeps a worker from hoarding: of batches that take several slots it
// holds no more, running or waiting for their slots, than the host can run at
// the same time. Batches that take one slot may wait here: they soon get it.
type slotReservation struct {
	mu    sync.Mutex
	total int
	taken int
}

// reserve takes weight if there is room for it.
func (h *slotReservation) reserve(weight int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.taken+weight > h.total {
		return false
	}
	h.taken += weight
	return true
}

func (h *slotReservation) release(weight int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.taken -= weight
}

// reserve reserves what the batch of a message takes, when that is several
// slots. It gives ErrNoSlots when there is no room. What it cannot tell is found
// out when the batch is picked up.
func (r *Runner) reserve(ctx context.Context, m tasks.BatchMessage) (release func(), err error) {
	free := func() {}
	e, err := r.Transfers.Get(ctx, m.Transfer)
	if err != nil || !e.HasStep(m.Step) {
		return free, nil //nolint:nilerr // receive asks again, and says what is wrong
	}
	reg, ok := r.Registry.Lookup(e.Step(m.Step).Handler)
	weight := reg.Slots.Of(r.Slots)
	if !ok || reg.Slots == OneSlot {
		return free, nil
	}
	if !r.heavy.reserve(weight) {
		return nil, ErrNoSlots
	}
	return func() { r.heavy.release(weight) }, nil
}
