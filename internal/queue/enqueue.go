package queue

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/tasks"
)

// Enqueuer puts batches into the queue.
type Enqueuer interface {
	EnqueueBatches(ctx context.Context, batches []tasks.Batch) error
}

// Promoter is an Enqueuer that can let batches start before others.
type Promoter interface {
	Enqueuer
	// Promote lets a batch that waits start before all that were not promoted.
	Promote(ctx context.Context, b *tasks.Batch) error
}

// enqueueTimeout bounds one enqueue, so that a stop does not wait for a queue that
// is unavailable.
const enqueueTimeout = 5 * time.Second

// Enqueue sends batches whose rows are committed. The end of ctx does not stop
// it: a batch that is not sent waits until the dispatcher finds it due.
func Enqueue(ctx context.Context, q Enqueuer, batches []tasks.Batch) error {
	failpoint.Point(failpoint.LedgerWritten)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	return q.EnqueueBatches(ctx, batches)
}

// EnqueueInTurn sends batches like Enqueue. Those with an ID in first are the only ones of
// their transfers, so they start before those of transfers that have others. They are
// sent before the rest, because the queue does not keep their order: otherwise a worker
// could also take one of the rest early.
func EnqueueInTurn(ctx context.Context, q Promoter, batches []tasks.Batch, first map[int64]bool) error {
	var ahead, rest []tasks.Batch
	for i := range batches {
		if first[batches[i].ID] {
			ahead = append(ahead, batches[i])
		} else {
			rest = append(rest, batches[i])
		}
	}
	if len(ahead) > 0 {
		if err := Enqueue(ctx, q, ahead); err != nil {
			return err
		}
		for i := range ahead {
			if err := q.Promote(ctx, &ahead[i]); err != nil {
				return err
			}
		}
		if len(rest) == 0 {
			return nil
		}
	}
	return Enqueue(ctx, q, rest)
}
