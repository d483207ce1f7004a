package queue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/tasks"
)

// maxParallel is how many enqueue calls run at the same time: as many as a
// pipeline of Gather takes.
const maxParallel = maxPipeline

// noTimeout stands in for "no limit": asynq would put half an hour in place of
// zero. Steps have timeouts of their own, which the runner keeps.
const noTimeout = 10 * 365 * 24 * time.Hour

// Producer puts messages into the queue. It is safe for concurrent use.
type Producer struct {
	redis  redis.UniversalClient
	client *asynq.Client

	noteGroupsScript, takeDueScript, removeTakenScript *redis.Script

	// What it reports of Redis; nil reports nothing.
	sending, asking, repairing *outage.Watch
}

// NewProducer enqueues through a Redis client, which stays the caller's. A
// client of its own with the Gather hook makes concurrent calls cheap.
func NewProducer(client redis.UniversalClient) *Producer {
	return &Producer{
		redis: client, client: asynq.NewClientFromRedisClient(client),
		noteGroupsScript: redis.NewScript(noteGroupsText), takeDueScript: redis.NewScript(oversizedFunction() + takeDueText),
		removeTakenScript: redis.NewScript(removeTakenText),
	}
}

// BatchTask is the queue message of a batch of the ledger. The batch's number is its
// task ID, so that the queue holds it once however often it is sent.
func BatchTask(b *tasks.Batch) *asynq.Task {
	return asynq.NewTask(tasks.TypeBatch, tasks.NewBatchMessage(b).Encode(),
		asynq.TaskID(BatchTaskID(b.ID)), asynq.Queue(b.Queue), asynq.MaxRetry(math.MaxInt32), asynq.Timeout(noTimeout))
}

// BatchTaskID is the asynq task ID of a batch.
func BatchTaskID(id int64) string { return strconv.FormatInt(id, 10) }

// EnqueueBatches enqueues batches whose rows are committed. One that the queue has
// already is fine.
func (p *Producer) EnqueueBatches(ctx context.Context, batches []tasks.Batch) error {
	return p.done(ctx, len(batches), parallel(ctx, len(batches), func(ctx context.Context, i int) error {
		err := p.enqueue(ctx, BatchTask(&batches[i]))
		failpoint.Point(failpoint.BatchEnqueued)
		return err
	}))
}

// FileTask is a registered file with the step that it starts at.
type FileTask struct {
	File    *tasks.File
	Step    int
	Handler string
}

// EnqueueFiles enqueues one task a file, for workers to collect into batches. Their rows
// must be committed. waited is for how long the first of them has waited already.
func (p *Producer) EnqueueFiles(ctx context.Context, queue string, transfer int64, files []FileTask, waited time.Duration) error {
	began := time.Now()
	err := parallel(ctx, len(files), func(ctx context.Context, i int) error {
		f := files[i]
		err := p.enqueue(ctx, asynq.NewTask(tasks.TypeFile, tasks.NewFileMessage(transfer, f.Step, f.File).Encode(),
			asynq.TaskID(fileTaskID(transfer, &f)), asynq.Queue(queue), asynq.Group(tasks.GroupOf(f.Handler, transfer, f.File.No)),
			asynq.MaxRetry(math.MaxInt32), asynq.Timeout(noTimeout)))
		failpoint.Point(failpoint.TaskEnqueued)
		return err
	})
	if err == nil {
		// After the files: who takes a group takes its note, and all that is in it.
		err = p.noteGroups(ctx, queue, files, transfer, waited+time.Since(began))
	}
	return p.done(ctx, len(files), err)
}

// done reports how Redis took n messages. An error that comes with the end of ctx is
// reported too when it is a timeout: that is how a Redis fails which does not answer.
func (p *Producer) done(ctx context.Context, n int, err error) error {
	switch {
	case err != nil && !errors.Is(ctx.Err(), context.Canceled):
		return p.sending.Failed(ctx, err)
	case err == nil && n > 0:
		p.sending.Answered(ctx)
	}
	return err
}

// fileTaskID is the asynq task ID of a file that waits to be collected.
func fileTaskID(transfer int64, f *FileTask) string {
	return fmt.Sprintf("%d.%d.%d", transfer, f.Step, f.File.No)
}

// EnqueueMessage enqueues a message of any type as it is.
func (p *Producer) EnqueueMessage(ctx context.Context, queue, kind string, payload []byte) error {
	t := asynq.NewTask(kind, payload, asynq.Queue(queue), asynq.MaxRetry(math.MaxInt32), asynq.Timeout(noTimeout))
	return p.done(ctx, 1, p.enqueue(ctx, t))
}

func (p *Producer) enqueue(ctx context.Context, t *asynq.Task) error {
	_, err := p.client.EnqueueContext(ctx, t)
	// A conflict means that the queue has it: sent before, or go-redis sent it
	// again after a time-out.
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return fmt.Errorf("enqueue %s: %w", t.Type(), err)
	}
	return nil
}

// parallel runs do for 0…n-1, many at a time, until one fails. Each goroutine takes
// several: what the queue's client does wants a deep stack, and to grow one for
// every message took an eighth of the producer's time.
func parallel(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	parent := ctx
	g, ctx := errgroup.WithContext(parent)
	var next atomic.Int64
	for range min(n, maxParallel) {
		g.Go(func() error {
			for ctx.Err() == nil { // else one has failed, or the caller has gone: the rest would fail one by one
				i := int(next.Add(1)) - 1
				if i >= n {
					break
				}
				if err := do(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return parent.Err()
}
