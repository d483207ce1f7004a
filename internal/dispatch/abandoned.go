package dispatch

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// abandonedAfter is for how long no live worker holds a batch before its worker counts as
// dead: longer than the second within which a live one says what it has just taken.
const abandonedAfter = 3 * time.Second

// silence is for how long a worker has not said in the ledger that it holds a batch, which
// it does with each heartbeat: a worker that only lost the queue keeps its batches.
const silence = queue.HoldTime + abandonedAfter

// reclaimAbandoned sends batches again whose worker has died. It does not depend on the
// clocks of the workers, and needs no more than ten seconds: queue.HoldTime and
// abandonedAfter, and its own interval of a second.
func (d *Dispatcher) reclaimAbandoned(ctx context.Context) error {
	unheld, err := d.queue.Unheld(ctx)
	if err != nil {
		clear(d.unheld) // what was not seen for a while may have been held meanwhile
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

// abandoned takes the batches that no live worker holds now, and returns those of which
// that has been so for long.
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
		d.opts.Log.WarnContext(ctx, "dispatcher: sending batches again whose workers died", "batches", len(orphans))
	}
}
