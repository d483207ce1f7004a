package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

const testQueue = "baler"

func someBatches(n int) []tasks.Batch {
	bs := make([]tasks.Batch, n)
	for i := range bs {
		bs[i] = tasks.Batch{
			ID: int64(i) + 1, Transfer: 7, Step: 1, Attempt: 1, Queue: testQueue, Files: tasks.Ranges{{First: 1, Last: int64(i) + 1}},
		}
	}
	return bs
}

func batchIDs(bs []tasks.Batch) []int64 {
	var ids []int64
	for i := range bs {
		ids = append(ids, bs[i].ID)
	}
	return ids
}

func pending(t *testing.T, c redis.UniversalClient) int {
	t.Helper()
	info, err := asynq.NewInspectorFromRedisClient(c).GetQueueInfo(testQueue)
	testkit.Must(t, err)
	return info.Pending
}

func TestBatchThatIsSentTwiceIsOneMessage(t *testing.T) {
	t.Parallel()
	c := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(c)
	bs := someBatches(3)
	for range 3 {
		testkit.Must(t, p.EnqueueBatches(t.Context(), bs))
	}
	if n := pending(t, c); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
	info, err := asynq.NewInspectorFromRedisClient(c).GetTaskInfo(testQueue, queue.BatchTaskID(2))
	testkit.Must(t, err)
	m, err := tasks.DecodeBatch(info.Payload)
	if err != nil || m != tasks.NewBatchMessage(&bs[1]) || info.Type != tasks.TypeBatch {
		t.Errorf("%s: %+v, %v", info.Type, m, err)
	}
	// asynq replaces no timeout by half an hour, so a batch has a timeout of years.
	if info.Timeout < 24*365*time.Hour || info.MaxRetry < 1<<30 {
		t.Errorf("timeout %v, %d retries", info.Timeout, info.MaxRetry)
	}
}

// This is why a batch has a timeout of years.
func TestAsynqReplacesNoTimeoutByHalfAnHour(t *testing.T) {
	t.Parallel()
	client := asynq.NewClientFromRedisClient(testkit.RedisClient(t, testkit.Redis(t), nil))
	info, err := client.Enqueue(asynq.NewTask("x", nil), asynq.Timeout(0), asynq.Queue(testQueue))
	if err != nil || info.Timeout != 30*time.Minute {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestMissingBatches(t *testing.T) {
	t.Parallel()
	c := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(c)
	bs := someBatches(6)
	if unknown, err := p.MissingBatches(t.Context(), nil); err != nil || len(unknown) > 0 {
		t.Errorf("of no batches %v are missing, %v", unknown, err)
	}
	if unknown, err := p.MissingBatches(t.Context(), bs); err != nil || len(unknown) != 6 {
		t.Fatalf("an empty queue lacks %v, %v", batchIDs(unknown), err)
	}
	testkit.Must(t, p.EnqueueBatches(t.Context(), bs[:5]))
	if state, err := c.HGet(t.Context(), "asynq:{baler}:t:1", "state").Result(); err != nil || state != "pending" {
		t.Errorf("asynq keeps a task's state elsewhere: %q, %v", state, err)
	}
	inspector := asynq.NewInspectorFromRedisClient(c)
	if err := errors.Join(
		inspector.ArchiveTask(testQueue, "2"), inspector.ArchiveTask(testQueue, "4"), inspector.DeleteTask(testQueue, "5"),
	); err != nil {
		t.Fatal(err)
	}
	unknown, err := p.MissingBatches(t.Context(), bs)
	if err != nil || !slices.Equal(batchIDs(unknown), []int64{2, 4, 5, 6}) {
		t.Errorf("missing are %v, %v", batchIDs(unknown), err)
	}
	testkit.Must(t, p.EnqueueBatches(t.Context(), unknown))
	if n := pending(t, c); n != 6 {
		t.Errorf("%d messages, want 6: what was archived must be sent again", n)
	}
	if unknown, err := p.MissingBatches(t.Context(), bs); err != nil || len(unknown) > 0 {
		t.Errorf("missing are %v, %v", batchIDs(unknown), err)
	}
}

// Redis may lose some of the keys in which asynq keeps a task. asynq would never deliver
// such a task.
func TestMissingBatchesWithAPartLost(t *testing.T) {
	t.Parallel()
	for state, lost := range map[string][]string{
		"pending": {"pending"}, "active": {"active", "lease"}, "scheduled": {"scheduled"}, "retry": {"retry"},
	} {
		for _, place := range append(lost, "") {
			t.Run(state+" without "+place, func(t *testing.T) {
				t.Parallel()
				c := testkit.RedisClient(t, testkit.Redis(t), nil)
				p := queue.NewProducer(c)
				bs := someBatches(2)
				testkit.Must(t, p.EnqueueBatches(t.Context(), bs))
				into(t, c, state, "1")
				want := []int64{}
				if place != "" {
					testkit.Must(t, c.Del(t.Context(), "asynq:{baler}:"+place).Err())
					want = []int64{1}
					if place == "pending" {
						want = []int64{1, 2}
					}
				}
				missing, err := p.MissingBatches(t.Context(), bs)
				if err != nil || !slices.Equal(batchIDs(missing), want) {
					t.Fatalf("missing are %v, %v; want %v", batchIDs(missing), err, want)
				}
				testkit.Must(t, p.EnqueueBatches(t.Context(), missing))
				if missing, err := p.MissingBatches(t.Context(), bs); err != nil || len(missing) > 0 {
					t.Errorf("after they were sent again %v are missing, %v", batchIDs(missing), err)
				}
			})
		}
	}
}

// into moves a pending task to another state, as asynq's own scripts do.
func into(t *testing.T, c redis.UniversalClient, state, id string) {
	t.Helper()
	if state == "pending" {
		return
	}
	const prefix = "asynq:{baler}:"
	_, err := c.TxPipelined(t.Context(), func(tx redis.Pipeliner) error {
		tx.LRem(t.Context(), prefix+"pending", 0, id)
		tx.HSet(t.Context(), prefix+"t:"+id, "state", state)
		if state == "active" {
			tx.LPush(t.Context(), prefix+"active", id)
			state = "lease"
		}
		tx.ZAdd(t.Context(), prefix+state, redis.Z{Score: float64(time.Now().Add(time.Hour).Unix()), Member: id})
		return nil
	})
	testkit.Must(t, err)
}

func TestAfterRedisWasEmptied(t *testing.T) {
	t.Parallel()
	c := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(c)
	bs := someBatches(4)
	testkit.Must(t, p.EnqueueBatches(t.Context(), bs))
	testkit.Must(t, c.FlushDB(t.Context()).Err())
	unknown, err := p.MissingBatches(t.Context(), bs)
	if err != nil || len(unknown) != 4 {
		t.Fatalf("missing are %v, %v", batchIDs(unknown), err)
	}
	testkit.Must(t, p.EnqueueBatches(t.Context(), unknown))
	if _, err := p.RepairGroups(t.Context(), testQueue, []string{"noop"}); err != nil {
		t.Fatal(err)
	}
	if n := pending(t, c); n != 4 { // fails when asynq does not list the queue
		t.Errorf("%d messages", n)
	}
}

func TestGroupsAreRepaired(t *testing.T) {
	t.Parallel()
	c := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(c)
	handlers := []string{"noop", "checksum"}
	var routed []queue.FileTask
	for no := range int64(200) {
		routed = append(routed, queue.FileTask{File: &tasks.File{No: no + 1, Size: 3}, Step: 1, Handler: handlers[no%2]})
	}
	for range 2 { // a file sent twice waits once
		testkit.Must(t, p.EnqueueFiles(t.Context(), testQueue, 7, routed, 0))
	}
	if n, err := p.GroupBacklog(t.Context(), testQueue, handlers); err != nil || n != 200 {
		t.Errorf("%d wait, %v", n, err)
	}
	if n, err := p.GroupBacklog(t.Context(), testQueue, handlers[:1]); err != nil || n != 100 {
		t.Errorf("%d wait for one handler, %v", n, err)
	}
	if n, err := p.RepairGroups(t.Context(), testQueue, handlers); err != nil || n != 0 {
		t.Errorf("repaired %d groups although none is lost, %v", n, err)
	}
	inspector := asynq.NewInspectorFromRedisClient(c)
	before, err := inspector.Groups(testQueue)
	if err != nil || len(before) == 0 || len(before) > 2*tasks.GroupShards {
		t.Fatalf("%d groups, %v", len(before), err)
	}
	if err := c.Del(t.Context(), "asynq:{baler}:groups").Err(); err != nil { // as reclaiming a set leaves it
		t.Fatal(err)
	}
	if n, err := p.RepairGroups(t.Context(), testQueue, handlers); err != nil || n != int64(len(before)) {
		t.Errorf("repaired %d of %d, %v", n, len(before), err)
	}
	after, err := inspector.Groups(testQueue)
	if err != nil || len(after) != len(before) {
		t.Errorf("%d groups of %d are back, %v", len(after), len(before), err)
	}
}

// Many messages are sent at once through a connection that breaks. A message that was sent
// without an answer is in the queue once.
func TestGatherAcrossLostAnswers(t *testing.T) {
	t.Parallel()
	direct := testkit.Redis(t)
	proxy := testkit.Proxy(t, direct)
	c := testkit.RedisClient(t, proxy.URL(), func(o *redis.Options) { o.MaxRetries, o.MaxRetryBackoff = 5, 50*time.Millisecond })
	queue.AddPipelineHook(c)
	p := queue.NewProducer(c)
	bs := someBatches(3000)
	testkit.Must(t, p.EnqueueBatches(t.Context(), bs[:1000]))
	proxy.Reset()
	done := make(chan error, 1)
	go func() { done <- p.EnqueueBatches(t.Context(), bs) }()
	err := <-done
	if err == nil {
		t.Error("no answer came, and no error")
	}
	proxy.Clear()
	testkit.Eventually(t, time.Minute, func() error { return p.EnqueueBatches(t.Context(), bs) })
	if n := pending(t, testkit.RedisClient(t, direct, nil)); n != len(bs) {
		t.Errorf("%d messages, want %d", n, len(bs))
	}
}

func TestGatherWithoutRedis(t *testing.T) {
	t.Parallel()
	direct := testkit.Redis(t)
	proxy := testkit.Proxy(t, direct)
	c := testkit.RedisClient(t, proxy.URL(), func(o *redis.Options) { o.MaxRetries = 1 })
	queue.AddPipelineHook(c)
	p := queue.NewProducer(c)
	if err := p.EnqueueBatches(t.Context(), someBatches(1)); err != nil { // the queue's name is known, the script loaded
		t.Fatal(err)
	}
	proxy.Down()
	// Twenty thousand attempts to connect would take minutes.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := p.EnqueueBatches(ctx, someBatches(20_000)); err == nil || ctx.Err() != nil {
		t.Errorf("without a Redis: %v, %v", err, ctx.Err())
	}
	if _, err := p.MissingBatches(t.Context(), someBatches(2)); err == nil {
		t.Error("no error when missing batches cannot be found")
	}
	if _, err := p.GroupBacklog(t.Context(), testQueue, []string{"noop"}); err == nil {
		t.Error("no error when waiting files cannot be counted")
	}
	if _, err := p.RepairGroups(t.Context(), testQueue, []string{"noop"}); err == nil {
		t.Error("no error when groups cannot be repaired")
	}
	proxy.Up()
	testkit.Eventually(t, time.Minute, func() error { return p.EnqueueBatches(t.Context(), someBatches(100)) })
	if n := pending(t, testkit.RedisClient(t, direct, nil)); n != 100 {
		t.Errorf("%d messages", n)
	}
}

func TestGatherUnderAContextThatEnds(t *testing.T) {
	t.Parallel()
	c := testkit.RedisClient(t, testkit.Redis(t), nil)
	queue.AddPipelineHook(c)
	p := queue.NewProducer(c)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(fmt.Errorf("enough: %w", context.Canceled))
	if err := p.EnqueueBatches(ctx, someBatches(1000)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := p.EnqueueBatches(t.Context(), someBatches(1000)); err != nil {
		t.Error(err)
	}
}
