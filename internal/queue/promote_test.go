package queue_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestPromotedBatchesComeNextInTheirOrder(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	client := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(client)
	batch := func(id int64) *tasks.Batch {
		return &tasks.Batch{ID: id, Transfer: 1, Step: 1, Attempt: 1, Queue: "q", Files: tasks.NewRanges([]int64{1})}
	}
	for id := int64(1); id <= 30; id++ { // one by one: in this order
		testkit.Must(t, p.EnqueueBatches(ctx, []tasks.Batch{*batch(id)}))
	}
	next := func(when, want string) {
		t.Helper()
		ids, err := client.LRange(ctx, "asynq:{q}:pending", 0, -1).Result()
		testkit.Must(t, err)
		slices.Reverse(ids) // asynq takes them from the end
		if got := strings.Join(ids[:6], " "); got != want {
			t.Errorf("%s: next are %s, want %s", when, got, want)
		}
		seen := make(map[string]bool)
		for _, id := range ids {
			seen[id] = true
		}
		if len(seen) != len(ids) {
			t.Errorf("%s: doubled in %v", when, ids)
		}
	}
	promote := func(id int64) { t.Helper(); testkit.Must(t, p.Promote(ctx, batch(id))) }

	next("in the order in which they were sent", "1 2 3 4 5 6")
	promote(20)
	next("one is new", "20 1 2 3 4 5")
	promote(25)
	promote(1)
	next("three are new", "20 25 1 2 3 4")
	testkit.Must(t, client.RPop(ctx, "asynq:{q}:pending").Err()) // 20 is taken
	promote(29)
	promote(99) // not there
	next("the first was taken", "25 1 29 2 3 4")
	for id := int64(2); id <= 19; id++ {
		promote(id)
	}
	ids, err := client.LRange(ctx, "asynq:{q}:pending", 0, -1).Result()
	testkit.Must(t, err)
	if len(ids) != 29 {
		t.Errorf("%d batches are left, want 29", len(ids))
	}
	if n, err := client.SCard(ctx, "baler:{q}:promoted").Result(); err != nil || n > 16 {
		t.Errorf("%d batches are promoted, %v", n, err)
	}
}
