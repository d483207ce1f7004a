package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// handed is an asynq server that holds each batch until the test releases it.
type handed struct {
	got   chan struct{}
	letGo chan struct{}
	ended chan struct{} // closed when the test ends: asynq may deliver a batch whose lease has ended once more
}

func (h handed) ProcessTask(context.Context, *asynq.Task) error {
	select {
	case h.got <- struct{}{}:
	case <-h.ended:
		return nil
	}
	select {
	case <-h.letGo:
	case <-h.ended:
	}
	return nil
}

func TestOrphansAreTakenFromDeadWorkersOnly(t *testing.T) {
	t.Parallel()
	client := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(client)
	batches := []tasks.Batch{
		{ID: 7, Transfer: 1, Step: 1, Attempt: 1, Queue: "q", Files: tasks.NewRanges([]int64{1})},
		{ID: 8, Transfer: 1, Step: 1, Attempt: 1, Queue: "q", Files: tasks.NewRanges([]int64{2})},
	}
	for i := range batches { // one by one: in this order
		testkit.Must(t, p.EnqueueBatches(t.Context(), batches[i:i+1]))
	}
	h := handed{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	server := asynq.NewServerFromRedisClient(client, asynq.Config{
		Concurrency: 1, Queues: map[string]int{"q": 1}, TaskCheckInterval: 10 * time.Millisecond, LogLevel: asynq.FatalLevel,
	})
	testkit.Must(t, server.Start(h))
	t.Cleanup(server.Shutdown)
	t.Cleanup(func() { close(h.ended) })
	<-h.got // 7 is with the worker, 8 waits

	if got, err := p.ReclaimOrphans(t.Context(), batches, 0); err != nil || len(got) != 0 {
		t.Fatalf("orphans of a worker that lives: %v, %v", got, err)
	}
	got, err := p.ReclaimOrphans(t.Context(), batches, -time.Minute)
	if err != nil || len(got) != 1 || got[0].ID != 7 {
		t.Fatalf("orphans once the lease has ended: %v, %v; want batch 7", got, err)
	}
	if unknown, err := p.MissingBatches(t.Context(), batches); err != nil || len(unknown) != 1 || unknown[0].ID != 7 {
		t.Fatalf("unknown to the queue: %v, %v; want batch 7", unknown, err)
	}
	// The batch is sent again. Then the first worker, which is alive, acknowledges it.
	// That must not delete the message for the next worker.
	testkit.Must(t, p.EnqueueBatches(t.Context(), got))
	h.letGo <- struct{}{}
	for range 2 { // 8 and 7
		select {
		case <-h.got:
			h.letGo <- struct{}{}
		case <-time.After(time.Minute):
			t.Fatal("the message is gone")
		}
	}
}
