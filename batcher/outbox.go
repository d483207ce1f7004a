package batcher

import (
	"context"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/faults"
	"github.com/balerhq/baler/tasks"
)

// dueMost is how many batches one look at the outbox handles.
const dueMost = 1000

// send looks after the batches that are due: later attempts whose time has
// come, batches whose writer died before it enqueued them, and batches that
// have been out for long. Those that the queue does not know are sent.
func (d *Dispatcher) send(ctx context.Context) error {
	for {
		due, err := d.ledger.Due(ctx, dueMost)
		if err != nil {
			return fmt.Errorf("look into the outbox: %w", err)
		}
		if len(due) == 0 {
			return nil
		}
		if _, err := d.resend(ctx, due); err != nil {
			return err
		}
		if len(due) < dueMost {
			return nil
		}
	}
}

// resend sends those of the batches that the queue does not know, and tells how many.
func (d *Dispatcher) resend(ctx context.Context, due []tasks.Batch) (int, error) {
	unknown, err := d.queue.Unknown(ctx, due)
	if err != nil {
		return 0, err
	}
	lost := make(map[int64]bool, len(unknown))
	for i := range unknown {
		lost[unknown[i].ID] = true
	}
	var known, again []int64
	for i := range due {
		if lost[due[i].ID] {
			again = append(again, due[i].ID)
			continue
		}
		known = append(known, due[i].ID)
	}
	if err := d.ledger.Defer(ctx, known, d.opts.Resend, false); err != nil {
		return 0, err
	}
	// The ledger first: a crash in between only delays them.
	if err := d.ledger.Defer(ctx, again, d.opts.Resend, true); err != nil {
		return 0, err
	}
	if len(unknown) > 0 {
		d.opts.Log.DebugContext(ctx, "dispatcher: sending batches that the queue does not know", "batches", len(unknown))
	}
	return len(unknown), enqueue(ctx, d.queue, unknown)
}

// enqueueTime bounds one enqueue, so that a stop does not wait for a queue that
// is away.
const enqueueTime = 5 * time.Second

// enqueue sends batches whose rows are committed. A stop in this moment does not
// keep them from the queue: there would be nobody to look after them for a while.
func enqueue(ctx context.Context, q Queue, batches []tasks.Batch) error {
	faults.Point(faults.LedgerWritten)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTime)
	defer cancel()
	return q.Batches(ctx, batches)
}
