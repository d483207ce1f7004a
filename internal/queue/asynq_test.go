package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// These tests check the behaviour of asynq on which Baler depends. After an upgrade of
// asynq they show what has changed.

// quiet is a logger for asynq that discards all messages.
type quiet struct{}

func (quiet) Debug(...any) {}
func (quiet) Info(...any)  {}
func (quiet) Warn(...any)  {}
func (quiet) Error(...any) {}
func (quiet) Fatal(...any) {}

func serve(t *testing.T, c redis.UniversalClient, config asynq.Config, handle asynq.HandlerFunc) *asynq.Server {
	t.Helper()
	config.Queues, config.Logger, config.Concurrency = map[string]int{testQueue: 1}, quiet{}, 1
	config.TaskCheckInterval, config.ShutdownTimeout = 10*time.Millisecond, 100*time.Millisecond
	config.DelayedTaskCheckInterval = 10 * time.Millisecond
	s := asynq.NewServerFromRedisClient(c, config)
	testkit.Must(t, s.Start(handle))
	t.Cleanup(s.Shutdown)
	return s
}

// asynq keeps the type and payload of the tasks that it collects, and everything of the
// task that the aggregator returns.
func TestAsynqAggregates(t *testing.T) {
	t.Parallel()
	c := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(c)
	var routed []queue.FileTask
	for no := range int64(40) {
		routed = append(routed, queue.FileTask{File: &tasks.File{No: no + 1, Size: 5}, Step: 1, Handler: "noop"})
	}
	testkit.Must(t, p.EnqueueFiles(t.Context(), testQueue, 7, routed, 0))
	batch := someBatches(9)[8]
	collected := make(chan []*asynq.Task, 2*tasks.GroupShards)
	delivered := make(chan string, 1)
	serve(t, c, asynq.Config{
		GroupGracePeriod: time.Second, GroupMaxSize: 5000, GroupMaxDelay: time.Second,
		GroupAggregator: asynq.GroupAggregatorFunc(func(_ string, ts []*asynq.Task) *asynq.Task {
			collected <- ts
			return queue.BatchTask(t.Context(), &batch)
		}),
	}, func(ctx context.Context, task *asynq.Task) error {
		id, _ := asynq.GetTaskID(ctx)
		most, _ := asynq.GetMaxRetry(ctx)
		deadline, _ := ctx.Deadline()
		if task.Type() != tasks.TypeBatch || most < 1<<30 || time.Until(deadline) < 24*365*time.Hour {
			t.Errorf("%s came with %d retries until %v", task.Type(), most, deadline)
		}
		select {
		case delivered <- id:
		default: // several groups, one batch
		}
		return nil
	})
	files := map[int64]bool{}
	for len(files) < 40 {
		for _, task := range <-collected {
			m, err := tasks.DecodeFile(task.Payload())
			if err != nil || task.Type() != tasks.TypeFile || m.Transfer != 7 || m.Bytes != 5 {
				t.Errorf("collected %s %s, %v", task.Type(), task.Payload(), err)
			}
			files[m.File] = true
		}
	}
	if id := <-delivered; id != "9" {
		t.Errorf("the batch came as %q", id)
	}
}

// An error that IsFailure does not count costs no retry. A lost lease does: by that a
// worker learns that another one died while it ran the batch.
func TestAsynqCountsLostLeasesOnly(t *testing.T) {
	t.Parallel()
	c := testkit.RedisClient(t, testkit.Redis(t), nil)
	testkit.Must(t, queue.NewProducer(c).EnqueueBatches(t.Context(), someBatches(1)))
	config := asynq.Config{
		IsFailure:      func(err error) bool { return errors.Is(err, asynq.ErrLeaseExpired) },
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 0 },
	}
	counts := make(chan int, 100)
	back := errors.New("not now")
	frozen, died := make(chan struct{}), make(chan struct{})
	first := serve(t, c, config, func(ctx context.Context, _ *asynq.Task) error {
		n, _ := asynq.GetRetryCount(ctx)
		counts <- n
		if len(counts) < 3 {
			return back
		}
		close(frozen)
		<-died
		return nil
	})
	<-frozen
	for range 3 {
		if n := <-counts; n != 0 {
			t.Errorf("%d retries counted for an error that is no failure", n)
		}
	}
	// The first worker dies: nobody extends its lease any more.
	past := float64(time.Now().Add(-time.Minute).Unix())
	if n, err := c.ZCard(t.Context(), "asynq:{baler}:lease").Result(); err != nil || n != 1 {
		t.Fatalf("%d leases, %v", n, err)
	}
	testkit.Must(t, c.ZAdd(t.Context(), "asynq:{baler}:lease", redis.Z{Score: past, Member: "1"}).Err())
	again := make(chan int, 1)
	serve(t, c, config, func(ctx context.Context, _ *asynq.Task) error {
		n, _ := asynq.GetRetryCount(ctx)
		again <- n
		return nil
	})
	if n := <-again; n != 1 {
		t.Errorf("%d retries counted after a lost lease, want 1", n)
	}
	close(died)
	first.Stop()
}
