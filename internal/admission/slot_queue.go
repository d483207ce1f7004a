package admission

import (
	"context"
	"slices"
	"sync"
)

// maxOvertaken is how many later batches may get slots before the batch that waits longest,
// so that many new transfers do not keep it waiting indefinitely.
const maxOvertaken = 16

// SlotQueue gives the slots of a host to batches. A free slot goes to the batch whose
// transfer got one least recently, so the first batch of a new transfer does not wait
// behind those that a large transfer already has in this worker. Once it is the turn of a
// batch that needs more slots than are free, no other batch overtakes it. Make one with
// NewSlotQueue.
type SlotQueue struct {
	mu      sync.Mutex
	free    int64
	waiting []*slotWaiter      // in the order of their arrival
	uses    map[int64]*slotUse // by transfer, those with batches here
	grants  uint64
}

// slotUse is what a SlotQueue knows of a transfer.
type slotUse struct {
	batches int    // that wait or have slots
	last    uint64 // number of the grant that it got last; 0 for none
}

type slotWaiter struct {
	use       *slotUse
	slots     int64
	overtaken int // how many later batches got slots before it
	granted   chan struct{}
}

// NewSlotQueue makes a queue for a host's slots.
func NewSlotQueue(slots int) *SlotQueue {
	return &SlotQueue{free: int64(slots), uses: make(map[int64]*slotUse)}
}

// Acquire waits for slots for a batch of a transfer. The caller gives them back with
// Release. It returns the error of ctx when that ends first.
func (q *SlotQueue) Acquire(ctx context.Context, transfer, slots int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	use := q.uses[transfer]
	if use == nil {
		use = new(slotUse)
		q.uses[transfer] = use
	}
	use.batches++
	w := &slotWaiter{use: use, slots: slots, granted: make(chan struct{})}
	q.waiting = append(q.waiting, w)
	q.grant()
	q.mu.Unlock()
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, w); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
	} else { // it got them at the same moment
		q.free += slots
	}
	q.forget(transfer)
	q.grant() // the others may need fewer slots
	return ctx.Err()
}

// Release gives back the slots of a batch.
func (q *SlotQueue) Release(transfer, slots int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free += slots
	q.forget(transfer)
	q.grant()
}

// Free returns the number of free slots.
func (q *SlotQueue) Free() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return int(q.free)
}

// forget notes that a batch of a transfer has left. The caller holds mu, as for the
// methods below.
func (q *SlotQueue) forget(transfer int64) {
	use := q.uses[transfer]
	if use.batches--; use.batches == 0 {
		delete(q.uses, transfer)
	}
}

// grant gives free slots to those whose turn it is.
func (q *SlotQueue) grant() {
	for len(q.waiting) > 0 {
		i := q.next()
		w := q.waiting[i]
		if w.slots > q.free {
			return
		}
		for _, earlier := range q.waiting[:i] {
			earlier.overtaken++
		}
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.free -= w.slots
		q.grants++
		w.use.last = q.grants
		close(w.granted)
	}
}

// next is the index of the batch whose turn it is.
func (q *SlotQueue) next() (first int) {
	if q.waiting[0].overtaken >= maxOvertaken {
		return 0
	}
	for i, w := range q.waiting {
		if w.use.last < q.waiting[first].use.last {
			first = i
		}
	}
	return first
}
