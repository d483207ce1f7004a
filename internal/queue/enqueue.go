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

// enqueueTimeout bounds one enqueue, so that a stop does not wait for a queue that
// is away.
const enqueueTimeout = 5 * time.Second

// Enqueue sends batches whose rows are committed. The end of ctx does not stop
// it: a batch that is not sent waits until the dispatcher finds it due.
func Enqueue(ctx context.Context, q Enqueuer, batches []tasks.Batch) error {
	failpoint.Point(failpoint.LedgerWritten)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), enqueueTimeout)
	defer cancel()
	return q.EnqueueBatches(ctx, batches)
}
