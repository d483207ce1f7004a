package queue_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A full server takes promoted batches of each of its queues, and no others until a message
// is handled.
func TestFullServerTakesOnlyPromotedBatches(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	client := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(client)
	enqueue := func(name string, ids ...int64) {
		t.Helper()
		for _, id := range ids { // one by one: in this order
			testkit.Must(t, p.EnqueueBatches(ctx, []tasks.Batch{
				{ID: id, Transfer: 1, Step: 1, Attempt: 1, Queue: name, Files: tasks.NewRanges([]int64{1})},
			}))
		}
	}
	taken, end := make(chan string, 100), make(chan struct{})
	in := queue.NewServerClient(client, queue.ServerClientOptions{
		Queues: []string{"a", "b"}, Most: 2, Poll: time.Millisecond,
		Handling: asynq.HandlerFunc(func(ctx context.Context, _ *asynq.Task) error {
			id, _ := asynq.GetTaskID(ctx)
			taken <- id
			select {
			case <-end:
			case <-ctx.Done():
			}
			return ctx.Err()
		}),
	})
	server := asynq.NewServerFromRedisClient(in, asynq.Config{
		Concurrency: 4, Queues: map[string]int{"a": 1, "b": 1}, TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel,
	})
	enqueue("a", 1, 2, 3, 4, 5)
	testkit.Must(t, server.Start(in))
	t.Cleanup(func() {
		in.Stop()
		server.Shutdown()
	})
	next := func(n int, want ...string) {
		t.Helper()
		var got []string
		for range n {
			got = append(got, <-taken)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("it took %v, want %v", got, want)
		}
	}
	next(2, "1", "2")
	enqueue("b", 6)
	testkit.Must(t, p.Promote(ctx, &tasks.Batch{ID: 5, Queue: "a"}))
	next(1, "5")
	testkit.Must(t, p.Promote(ctx, &tasks.Batch{ID: 6, Queue: "b"}))
	next(1, "6")
	end <- struct{}{}
	end <- struct{}{} // it is still full
	enqueue("b", 7)
	testkit.Must(t, p.Promote(ctx, &tasks.Batch{ID: 7, Queue: "b"}))
	next(1, "7")
	close(end)
	next(2, "3", "4")
}

// A full server that stops does not wait for another message.
func TestFullServerStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := queue.NewServerClient(nil, queue.ServerClientOptions{Poll: time.Hour})
		answered := make(chan error, 1)
		begun := time.Now()
		go func() { // the name of asynq's script that takes a message
			answered <- in.EvalSha(t.Context(), "a8153319360adc71cdc370107f8ab9786f204765", nil, 0).Err()
		}()
		synctest.Wait()
		in.Stop()
		if err := <-answered; !errors.Is(err, redis.Nil) || time.Since(begun) != 0 {
			t.Errorf("it answered %v after %s", err, time.Since(begun))
		}
	})
}

// A promoted batch that a worker sends back is the next again when it comes back, also one that
// the worker had before it was promoted. Others come back to the end.
func TestReturnedBatchKeepsItsPromotion(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	client := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(client)
	batch := func(id int64) *tasks.Batch {
		return &tasks.Batch{ID: id, Transfer: 1, Step: 1, Attempt: 1, Queue: "q", Files: tasks.NewRanges([]int64{1})}
	}
	var order []string // one batch at a time
	refuse, done := map[string]bool{"1": true, "2": true, "6": true}, make(chan struct{})
	in := queue.NewServerClient(client, queue.ServerClientOptions{
		Queues: []string{"q"}, Most: 10, Poll: time.Millisecond,
		Handling: asynq.HandlerFunc(func(ctx context.Context, _ *asynq.Task) error {
			id, _ := asynq.GetTaskID(ctx)
			testkit.Eventually(t, time.Minute, func() error {
				n, err := client.ZCard(ctx, "asynq:{q}:retry").Result()
				if err == nil && n > 0 {
					err = errors.New("one that was sent back is not in the queue yet")
				}
				return err
			})
			if id == "1" && refuse[id] {
				for id := int64(2); id <= 6; id++ { // one by one: in this order
					testkit.Must(t, p.EnqueueBatches(ctx, []tasks.Batch{*batch(id)}))
				}
				testkit.Must(t, p.Promote(ctx, batch(6)))
				testkit.Must(t, p.Promote(ctx, batch(1)))
			}
			if refuse[id] {
				delete(refuse, id)
				return errors.New("no room")
			}
			if order = append(order, id); len(order) == 6 {
				close(done)
			}
			return nil
		}),
	})
	server := asynq.NewServerFromRedisClient(in, asynq.Config{
		Concurrency: 1, Queues: map[string]int{"q": 1}, TaskCheckInterval: time.Millisecond, LogLevel: asynq.FatalLevel,
		IsFailure:                func(error) bool { return false },
		RetryDelayFunc:           func(int, error, *asynq.Task) time.Duration { return 0 },
		DelayedTaskCheckInterval: time.Millisecond,
	})
	testkit.Must(t, p.EnqueueBatches(ctx, []tasks.Batch{*batch(1)}))
	testkit.Must(t, server.Start(in))
	t.Cleanup(func() {
		in.Stop()
		server.Shutdown()
	})
	<-done
	if want := []string{"1", "6", "3", "4", "5", "2"}; !slices.Equal(order, want) {
		t.Errorf("it took %v, want %v", order, want)
	}
	// What has ended is forgotten.
	testkit.Must(t, p.Promote(ctx, batch(99)))
	if n, err := client.ZCard(ctx, "baler:{q}:kept-promoted").Result(); err != nil || n != 0 {
		t.Errorf("%d batches are promoted, %v", n, err)
	}
}
