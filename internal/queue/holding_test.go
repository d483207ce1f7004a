package queue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestUnheldBatchesAreThoseOfDeadWorkers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	client := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(client)
	batches := make([]tasks.Batch, 3)
	for i := range batches {
		batches[i] = tasks.Batch{ID: int64(i) + 7, Transfer: 1, Step: 1, Attempt: 1, Queue: "q", Files: tasks.NewRanges([]int64{1})}
		testkit.Must(t, p.EnqueueBatches(ctx, batches[i:i+1])) // one by one: in this order
	}
	h := handed{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	server := asynq.NewServerFromRedisClient(client, asynq.Config{
		Concurrency: 2, Queues: map[string]int{"q": 1}, TaskCheckInterval: 10 * time.Millisecond, LogLevel: asynq.FatalLevel,
	})
	testkit.Must(t, server.Start(h))
	t.Cleanup(server.Shutdown)
	t.Cleanup(func() { close(h.letGo); close(h.ended) })
	<-h.got
	<-h.got // 7 and 8 are with the worker, 9 waits

	unheld := func(when string, want ...int64) {
		t.Helper()
		got, err := p.Unheld(ctx)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", when, got, err, want)
		}
	}
	unheld("no worker has published anything", 7, 8)
	testkit.Must(t, p.Hold(ctx, "one", []int64{7}))
	unheld("one holds 7", 8)
	testkit.Must(t, p.Hold(ctx, "two", []int64{8}))
	unheld("two holds 8")
	testkit.Must(t, client.Del(ctx, "baler:holding:one").Err()) // it has expired
	unheld("one is dead", 7)
	if holders, err := client.SMembers(ctx, "baler:holders").Result(); err != nil || !slices.Equal(holders, []string{"two"}) {
		t.Errorf("workers that are listed: %v, %v", holders, err)
	}
	if ttl, err := client.PTTL(ctx, "baler:holding:two").Result(); err != nil || ttl <= 0 || ttl > queue.HoldTime {
		t.Errorf("the key of a worker expires in %s, %v", ttl, err)
	}
	testkit.Must(t, p.ReleaseHold(ctx, "two"))
	unheld("two has stopped", 7, 8)

	taken, err := p.Reclaim(ctx, batches)
	if err != nil || len(taken) != 2 || taken[0].ID != 7 || taken[1].ID != 8 {
		t.Errorf("reclaimed: %v, %v; want 7 and 8", taken, err)
	}
	unheld("they were reclaimed")
}
