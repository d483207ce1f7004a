package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// dueLimit is how many batches are read from the outbox at a time.
const dueLimit = 1000

// send handles the batches that are due: later attempts after their delay, batches
// whose writer died before it enqueued them, and batches that were sent long ago. It
// sends those that the queue does not have, or whose worker has died.
func (d *Dispatcher) send(ctx context.Context) error {
	for {
		due, err := d.store.DueBatches(ctx, dueLimit)
		if err != nil {
			return fmt.Errorf("read due batches: %w", err)
		}
		if len(due) == 0 {
			return nil
		}
		if _, err := d.resend(ctx, due); err != nil {
			return err
		}
		if len(due) < dueLimit {
			return nil
		}
	}
}

// resend sends the batches that the queue does not have, or whose worker has died, and
// returns how many.
func (d *Dispatcher) resend(ctx context.Context, due []tasks.Batch) (int, error) {
	unknown, err := d.queue.MissingBatches(ctx, due)
	if err != nil {
		return 0, err
	}
	known := without(due, unknown)
	orphans, err := d.queue.ReclaimOrphans(ctx, known, min(d.opts.Resend, leaseSkew))
	if err != nil {
		return 0, err
	}
	if err := d.store.Reschedule(ctx, numbers(without(known, orphans)), d.opts.Resend, false); err != nil {
		return 0, err
	}
	// Update the ledger before the queue: a crash in between only delays the batches.
	if err := d.store.Reschedule(ctx, numbers(unknown), d.opts.Resend, true); err != nil {
		return 0, err
	}
	if err := d.store.ReclaimBatches(ctx, numbers(orphans), d.opts.Resend); err != nil {
		return 0, err
	}
	if len(unknown) > 0 {
		d.opts.Log.DebugContext(ctx, "dispatcher: sending batches that the queue does not have", "batches", len(unknown))
	}
	d.logOrphans(ctx, orphans)
	if d.opts.OnSent != nil {
		d.opts.OnSent(len(unknown), len(orphans))
	}
	again := slices.Concat(unknown, orphans)
	return len(again), queue.Enqueue(ctx, d.queue, again)
}

// leaseSkew is how much the clock of a worker may be behind that of Redis before its
// lease ends too early; see queue.MaxClockSkew.
const leaseSkew = 10 * time.Second

// without returns the batches that are not in excluded.
func without(batches, excluded []tasks.Batch) []tasks.Batch {
	ids := make(map[int64]bool, len(excluded))
	for i := range excluded {
		ids[excluded[i].ID] = true
	}
	return slices.DeleteFunc(slices.Clone(batches), func(b tasks.Batch) bool { return ids[b.ID] })
}

func numbers(batches []tasks.Batch) []int64 {
	ids := make([]int64, len(batches))
	for i := range batches {
		ids[i] = batches[i].ID
	}
	return ids
}
