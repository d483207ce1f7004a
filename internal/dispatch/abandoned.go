package dispatch

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// abandonedAfter is how long no live worker may hold a batch before its worker counts as
// dead. It is longer than the second within which a live worker publishes a batch that it
// has taken.
const abandonedAfter = 3 * time.Second

// silence is how long the ledger must not have recorded that a worker holds the batch.
// Workers record this with each heartbeat, so a worker that has only lost the queue keeps
// its batches.
const silence = queue.HoldTime + abandonedAfter

// reclaimAbandoned sends batches of dead workers again. It does not depend on the clocks
// of the workers, and takes at most ten seconds: queue.HoldTime, abandonedAfter, and its
// own interval of a second.
func (d *Dispatcher) reclaimAbandoned(ctx context.Context) error {
	unheld, err := d.queue.Unheld(ctx)
	if err != nil {
		clear(d.unheld) // batches that were not checked for a while may have been held meanwhile
		return err
	}
	ids := d.abandoned(unheld, d.opts.Now())
	if len(ids) == 0 {
		return nil
	}
	batches, err := d.store.BatchesByID(ctx, ids, silence)
	if err != nil || len(batches) == 0 {
		return err
	}
	orphans, err := d.queue.Reclaim(ctx, batches)
	if err != nil {
		return err
	}
	if err := d.store.ReclaimBatches(ctx, numbers(orphans), d.opts.Resend); err != nil {
		return err
	}
	d.logOrphans(ctx, orphans)
	return queue.Enqueue(ctx, d.queue, orphans)
}

// abandoned takes the batches that no live worker holds now, and returns those that no
// live worker has held for abandonedAfter.
func (d *Dispatcher) abandoned(unheld []int64, now time.Time) (ids []int64) {
	since := make(map[int64]time.Time, len(unheld))
	for _, id := range unheld {
		first, seen := d.unheld[id]
		if !seen {
			first = now
		}
		since[id] = first
		if now.Sub(first) >= abandonedAfter {
			ids = append(ids, id)
		}
	}
	d.unheld = since
	return ids
}

func (d *Dispatcher) logOrphans(ctx context.Context, orphans []tasks.Batch) {
	if len(orphans) > 0 {
		d.opts.Log.WarnContext(ctx, "dispatcher: sending batches of dead workers again", "batches", len(orphans))
	}
}
