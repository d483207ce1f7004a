package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Messages that are too large are never read, by any of the scripts with which asynq reads
// messages, and the messages behind them are delivered. The test also fails when the
// scripts of asynq change.
func TestOversizedMessagesAreNotRead(t *testing.T) {
	t.Parallel()
	address := testkit.Redis(t)
	plain, client := testkit.RedisClient(t, address, nil), testkit.RedisClient(t, address, nil)
	client.AddHook(queue.NewOversizeHook())
	p := queue.NewProducer(plain)
	enqueue := func(kind string, payload []byte, opts ...asynq.Option) {
		t.Helper()
		_, err := asynq.NewClientFromRedisClient(plain).Enqueue(asynq.NewTask(kind, payload), append(opts, asynq.Queue("q"))...)
		testkit.Must(t, err)
	}
	large := bytes.Repeat([]byte("x"), 1<<20)
	for range 2 {
		enqueue("large", large)
		enqueue("large", large, asynq.Group("g"))
	}
	// One that a worker had when it died.
	enqueue("large", large, asynq.TaskID("lost"))
	ctx := t.Context()
	testkit.Must(t, plain.LRem(ctx, "asynq:{q}:pending", 0, "lost").Err())
	testkit.Must(t, plain.HSet(ctx, "asynq:{q}:t:lost", "state", "active").Err())
	testkit.Must(t, plain.LPush(ctx, "asynq:{q}:active", "lost").Err())
	testkit.Must(t, plain.Do(ctx, "ZADD", "asynq:{q}:lease", 1, "lost").Err())
	enqueue("small", []byte("alone"))
	enqueue("small", []byte("in a group"), asynq.Group("g"))

	got := make(chan string, 10)
	server := asynq.NewServerFromRedisClient(client, asynq.Config{
		Queues: map[string]int{"q": 1}, TaskCheckInterval: 10 * time.Millisecond, LogLevel: asynq.FatalLevel,
		GroupGracePeriod: time.Second, GroupMaxDelay: time.Second,
		GroupAggregator: asynq.GroupAggregatorFunc(func(_ string, ts []*asynq.Task) *asynq.Task {
			for _, task := range ts {
				got <- fmt.Sprintf("%s %.20s", task.Type(), task.Payload())
			}
			return asynq.NewTask("collected", nil)
		}),
	})
	testkit.Must(t, server.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		if task.Type() != "collected" {
			got <- fmt.Sprintf("%s %.20s", task.Type(), task.Payload())
		}
		return nil
	})))
	t.Cleanup(server.Shutdown)
	deadLetters := 0
	testkit.Eventually(t, time.Minute, func() error {
		beginnings, err := p.TakeOversized(ctx, "q")
		for _, b := range beginnings {
			if len(b) != tasks.MaxPayload || !bytes.Contains(b, []byte("xxx")) {
				return fmt.Errorf("kept %d bytes: %.40q", len(b), b)
			}
		}
		if deadLetters += len(beginnings); err == nil && deadLetters != 5 {
			err = fmt.Errorf("%d dead letters, want 5", deadLetters)
		}
		return err
	})
	seen := map[string]bool{<-got: true, <-got: true}
	if !seen["small alone"] || !seen["small in a group"] {
		t.Errorf("delivered %v", seen)
	}
	testkit.Eventually(t, time.Minute, func() error {
		left, err := plain.Keys(ctx, "asynq:{q}:t:*").Result()
		if err == nil && len(left) > 0 {
			err = errors.New("tasks are left")
		}
		return err
	})
	if len(got) > 0 {
		t.Errorf("also delivered %s", <-got)
	}
}
