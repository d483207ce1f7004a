package dispatch

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// newTestCollector makes a collector on an embedded queue, where no asynq runs.
func newTestCollector(t *testing.T, f *fake) (*batcher.Collector, *queue.Conn) {
	t.Helper()
	q, err := queue.Connect(config.RedisSettings{URL: string(config.Embedded)}, nil)
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, q.Close()) })
	return &batcher.Collector{CollectorOptions: batcher.CollectorOptions{
		Aggregator: newTestAggregator(t.Context(), f, tasks.BatchPolicy{MaxItems: 100}), Groups: q.Producer,
		Queues: []string{"p", "q"}, MaxDelay: 50 * time.Millisecond, MaxSize: 5000,
	}}, q
}

func enqueueForGroup(t *testing.T, q *queue.Conn, first, last int64) {
	t.Helper()
	var routed []queue.FileTask
	for no := first; no <= last; no++ {
		routed = append(routed, queue.FileTask{File: &tasks.File{No: no, Size: no}, Step: 1, Handler: "noop"})
	}
	testkit.Must(t, q.Producer.EnqueueFiles(t.Context(), "q", 1, routed, 0))
}

// keysLeft returns an error while the queue has keys that match.
func keysLeft(t *testing.T, q *queue.Conn, pattern string) error {
	t.Helper()
	keys, err := q.Client.Keys(t.Context(), pattern).Result()
	if err == nil && len(keys) > 0 {
		err = fmt.Errorf("%d keys are left: %q", len(keys), keys[0])
	}
	return err
}

func background(t *testing.T, c *batcher.Collector) (stop func()) {
	t.Helper()
	return testkit.Background(t, func(ctx context.Context) error {
		c.Run(ctx)
		return nil
	})
}

// Files of all groups that are due together become batches together.
func TestCollectorMakesFullBatches(t *testing.T) {
	f := newFake()
	c, q := newTestCollector(t, f)
	stop := background(t, c)
	enqueueForGroup(t, q, 1, 250)
	testkit.Eventually(t, time.Minute, func() error { return keysLeft(t, q, "asynq:{q}:*") })
	stop()
	if len(f.batches) != 3 || len(f.sent) != 3 || f.batches[0].Items() != 100 || len(f.deadLetters) > 0 {
		t.Errorf("%d batches, %d sent, dead letters %q", len(f.batches), len(f.sent), f.deadLetters)
	}
}

// Files whose batches cannot be written stay in the queue. Files that were taken get their
// batches even if the collector ends.
func TestCollectorLeavesFilesWithoutBatchesInTheQueue(t *testing.T) {
	f := newFake()
	f.fail["AddBatches"] = 1 << 30 // for as long as the test lasts: what is left may be taken again
	c, q := newTestCollector(t, f)
	stop := background(t, c)
	enqueueForGroup(t, q, 1, 20)
	testkit.Eventually(t, time.Minute, func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.calls["AddBatches"] < batcher.MaxAggregateAttempts {
			return fmt.Errorf("%d attempts", f.calls["AddBatches"])
		}
		return nil
	})
	stop()
	left, err := q.Client.Keys(t.Context(), "asynq:{q}:t:*").Result()
	if err != nil || len(left) != 20 || len(f.batches) > 0 {
		t.Errorf("%d messages are left, %d batches: %v", len(left), len(f.batches), err)
	}
}
