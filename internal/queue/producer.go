package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/signing"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/tasks"
)

// maxParallel is the number of enqueue calls that run at the same time: as many as a
// pipeline of the hook takes.
const maxParallel = maxPipeline

// noTimeout means "no limit": asynq replaces zero by half an hour. Steps have timeouts
// of their own, which the runner enforces.
const noTimeout = 10 * 365 * 24 * time.Hour

// Producer puts messages into the queue. It is safe for concurrent use.
type Producer struct {
	// Keys sign the messages; nil: none. Set them before the first message.
	Keys *signing.Keys

	redis  redis.UniversalClient
	client *asynq.Client

	noteGroupsScript, takeDueScript, keepTakenScript, removeTakenScript, promoteScript *redis.Script

	// Watches that report outages of Redis. A nil watch reports nothing.
	sending, asking, repairing *outage.Watch
}

// NewProducer makes a Producer that enqueues through a Redis client, which the caller
// closes. A separate client with the pipeline hook makes concurrent calls cheap.
func NewProducer(client redis.UniversalClient) *Producer {
	return &Producer{
		redis: client, client: asynq.NewClientFromRedisClient(client),
		noteGroupsScript: redis.NewScript(noteGroupsText), takeDueScript: redis.NewScript(oversizedFunction() + takeDueText),
		keepTakenScript: redis.NewScript(keepTakenText), removeTakenScript: redis.NewScript(removeTakenText),
		promoteScript: redis.NewScript(promoteText),
	}
}

// BatchTask is the queue message of a batch of the ledger, without a signature. The batch's
// number is its task ID, so that the queue holds it once however often it is sent. A span in
// ctx goes along in its headers.
func BatchTask(ctx context.Context, b *tasks.Batch) *asynq.Task {
	return asynq.NewTaskWithHeaders(tasks.TypeBatch, tasks.NewBatchMessage(b).Encode(), tracing.Headers(ctx), batchOptions(b)...)
}

func batchOptions(b *tasks.Batch) []asynq.Option {
	return []asynq.Option{
		asynq.TaskID(BatchTaskID(b.ID)), asynq.Queue(b.Queue), asynq.MaxRetry(math.MaxInt32), asynq.Timeout(noTimeout),
	}
}

// sign returns the task with a signature for its queue. asynq does not return the options of
// a task, so they are given again.
func (p *Producer) sign(t *asynq.Task, queue string, opts ...asynq.Option) *asynq.Task {
	if p.Keys == nil {
		return t
	}
	headers := maps.Clone(t.Headers())
	if headers == nil {
		headers = make(map[string]string, 1)
	}
	headers[signing.Header] = p.Keys.Sign(queue, t.Type(), t.Payload())
	return asynq.NewTaskWithHeaders(t.Type(), t.Payload(), headers, opts...)
}

// BatchTaskID is the asynq task ID of a batch.
func BatchTaskID(id int64) string { return strconv.FormatInt(id, 10) }

// EnqueueBatches enqueues batches whose rows are committed. Batches that the queue
// already has are no error.
func (p *Producer) EnqueueBatches(ctx context.Context, batches []tasks.Batch) error {
	return p.done(ctx, len(batches), parallel(ctx, len(batches), func(ctx context.Context, i int) error {
		b := &batches[i]
		err := p.enqueue(ctx, p.sign(BatchTask(ctx, b), b.Queue, batchOptions(b)...))
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
// must be committed. waited is how long the first of them has waited already.
func (p *Producer) EnqueueFiles(ctx context.Context, queue string, transfer int64, files []FileTask, waited time.Duration) error {
	began := time.Now()
	err := parallel(ctx, len(files), func(ctx context.Context, i int) error {
		f := files[i]
		opts := []asynq.Option{
			asynq.TaskID(fileTaskID(transfer, &f)), asynq.Queue(queue), asynq.Group(tasks.GroupOf(f.Handler, transfer, f.File.No)),
			asynq.MaxRetry(math.MaxInt32), asynq.Timeout(noTimeout),
		}
		t := asynq.NewTask(tasks.TypeFile, tasks.NewFileMessage(transfer, f.Step, f.File).Encode(), opts...)
		err := p.enqueue(ctx, p.sign(t, queue, opts...))
		failpoint.Point(failpoint.TaskEnqueued)
		return err
	})
	if err == nil {
		// Record the groups after adding the files, because taking a group removes its record.
		err = p.noteGroups(ctx, queue, files, transfer, waited+time.Since(began))
	}
	return p.done(ctx, len(files), err)
}

// done reports the outcome of sending n messages. After the end of ctx it reports only
// timeouts, because that is how a Redis that does not answer fails.
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

// EnqueueMessage enqueues a message of any type as it is, with a signature.
func (p *Producer) EnqueueMessage(ctx context.Context, queue, kind string, payload []byte) error {
	opts := []asynq.Option{asynq.Queue(queue), asynq.MaxRetry(math.MaxInt32), asynq.Timeout(noTimeout)}
	return p.done(ctx, 1, p.enqueue(ctx, p.sign(asynq.NewTask(kind, payload, opts...), queue, opts...)))
}

func (p *Producer) enqueue(ctx context.Context, t *asynq.Task) error {
	_, err := p.client.EnqueueContext(ctx, t)
	// A conflict means that the queue already has the message: it was sent before, or
	// go-redis sent it again after a timeout.
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return fmt.Errorf("enqueue %s: %w", t.Type(), err)
	}
	return nil
}

// parallel runs do for 0…n-1, many at a time, until one fails. Each goroutine handles
// several: the queue's client needs a deep stack, and growing one for every message
// took an eighth of the producer's time.
func parallel(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	parent := ctx
	g, ctx := errgroup.WithContext(parent)
	var next atomic.Int64
	for range min(n, maxParallel) {
		g.Go(func() error {
			for ctx.Err() == nil { // after a failure or the end of ctx the rest would fail one by one
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
