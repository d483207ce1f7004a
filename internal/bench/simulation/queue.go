package simulation

import (
	"context"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// taskLease is how long a message counts as taken after its worker has died.
const taskLease = 30 * time.Second

// EnqueueBatches implements dispatch.BatchQueue.
func (w *world) EnqueueBatches(_ context.Context, batches []tasks.Batch) error {
	w.calls++
	for i := range batches {
		if r := w.ledger[batches[i].ID]; r != nil && !r.queued && r.worker == nil {
			r.queued = true
			w.queue = append(w.queue, r)
		}
	}
	w.result.PeakQueue = max(w.result.PeakQueue, len(w.queue))
	w.assign()
	return nil
}

// MissingBatches implements dispatch.BatchQueue.
func (w *world) MissingBatches(_ context.Context, batches []tasks.Batch) ([]tasks.Batch, error) {
	w.calls++
	return w.those(batches, func(r *record) bool { return !r.queued && r.worker == nil }), nil
}

// ReclaimOrphans implements dispatch.BatchQueue.
func (w *world) ReclaimOrphans(_ context.Context, batches []tasks.Batch, ago time.Duration) ([]tasks.Batch, error) {
	w.calls++
	return w.release(w.those(batches, func(r *record) bool {
		return r.worker != nil && r.worker.notHeldFor(w.clock.now) >= taskLease+ago
	})), nil
}

// Unheld implements dispatch.BatchQueue.
func (w *world) Unheld(context.Context) ([]int64, error) {
	w.calls++
	var ids []int64
	for _, r := range w.ledger {
		if r.worker != nil && r.worker.notHeldFor(w.clock.now) >= queue.HoldTime {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Reclaim implements dispatch.BatchQueue.
func (w *world) Reclaim(_ context.Context, batches []tasks.Batch) ([]tasks.Batch, error) {
	w.calls++
	return w.release(w.those(batches, func(r *record) bool { return r.worker != nil && !r.worker.diedAt.IsZero() })), nil
}

// those are the batches of the ledger that are as told.
func (w *world) those(batches []tasks.Batch, are func(*record) bool) []tasks.Batch {
	var found []tasks.Batch
	for i := range batches {
		if r := w.ledger[batches[i].ID]; r != nil && are(r) {
			found = append(found, batches[i])
		}
	}
	return found
}

// release takes batches from their workers.
func (w *world) release(batches []tasks.Batch) []tasks.Batch {
	for i := range batches {
		w.ledger[batches[i].ID].worker = nil
	}
	return batches
}
