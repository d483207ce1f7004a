package dispatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/queue"

	"github.com/balerhq/baler/tasks"
)

// dueLimit is how many batches one look at the outbox handles.
const dueLimit = 1000

// send looks after the batches that are due: later attempts whose time has
// come, batches whose writer died before it enqueued them, and batches that
// have been out for long. Those that the queue does not know, or that nobody
// alive works on, are sent.
func (d *Dispatcher) send(ctx context.Context) error {
	for {
		due, err := d.store.DueBatches(ctx, dueLimit)
		if err != nil {
			return fmt.Errorf("look into the outbox: %w", err)
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

// resend sends those of the batches that the queue does not know, or that a
// worker has died with, and tells how many.
func (d *Dispatcher) resend(ctx context.Context, due []tasks.Batch) (int, error) {
	unknown, err := d.queue.MissingBatches(ctx, due)
	if err != nil {
		return 0, err
	}
	known := without(due, unknown)
	orphans, err := d.queue.ReclaimOrphans(ctx, known, d.opts.Now().Add(-min(d.opts.Resend, leaseSkew)))
	if err != nil {
		return 0, err
	}
	if err := d.store.Reschedule(ctx, numbers(without(known, orphans)), d.opts.Resend, false); err != nil {
		return 0, err
	}
	// The ledger before the queue: a crash in between only delays them.
	if err := d.store.Reschedule(ctx, numbers(unknown), d.opts.Resend, true); err != nil {
		return 0, err
	}
	if err := d.store.ReclaimBatches(ctx, numbers(orphans), d.opts.Resend); err != nil {
		return 0, err
	}
	if len(unknown) > 0 {
		d.opts.Log.DebugContext(ctx, "dispatcher: sending batches that the queue does not know", "batches", len(unknown))
	}
	if len(orphans) > 0 {
		d.opts.Log.WarnContext(ctx, "dispatcher: workers died with batches; sending them again", "batches", len(orphans))
	}
	again := slices.Concat(unknown, orphans)
	return len(again), queue.Enqueue(ctx, d.queue, again)
}

// leaseSkew is how far the clocks of two hosts may be apart before the batch of
// a living worker is taken for a dead one's.
const leaseSkew = 10 * time.Second

// without are those of the batches that are not among some.
func without(batches, some []tasks.Batch) []tasks.Batch {
	out := make(map[int64]bool, len(some))
	for i := range some {
		out[some[i].ID] = true
	}
	return slices.DeleteFunc(slices.Clone(batches), func(b tasks.Batch) bool { return out[b.ID] })
}

func numbers(batches []tasks.Batch) []int64 {
	ids := make([]int64, len(batches))
	for i := range batches {
		ids[i] = batches[i].ID
	}
	return ids
}
