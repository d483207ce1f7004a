package queue_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestFirstQueued(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	client := testkit.RedisClient(t, testkit.Redis(t), nil)
	p := queue.NewProducer(client)
	files := make([]queue.FileTask, 4)
	for i := range files {
		files[i] = queue.FileTask{File: &tasks.File{No: int64(i) + 1, Size: 1}, Step: 1, Handler: "noop"}
	}
	first := func(when string, want int) {
		t.Helper()
		if got, err := p.FirstQueued(ctx, "q", 1, files); err != nil || got != want {
			t.Errorf("%s: file %d, %v; want %d", when, got, err, want)
		}
	}
	group := func(no int64) string { return "asynq:{q}:g:" + tasks.GroupOf("noop", 1, no) }

	first("nothing was sent", 4)
	testkit.Must(t, p.EnqueueFiles(ctx, "q", 1, files[1:], 0))
	first("the first was not sent", 1)
	testkit.Must(t, client.Del(ctx, "asynq:{q}:t:1.1.2").Err())
	first("the second message is lost", 2)
	testkit.Must(t, client.ZRem(ctx, group(3), "1.1.3").Err())
	first("the third is no longer in its group", 3)
	if n, err := client.Exists(ctx, "asynq:{q}:t:1.1.3").Result(); err != nil || n != 0 {
		t.Errorf("the remains of the third are still there: %d, %v", n, err)
	}
	// asynq takes a set from the group, and has not handed it to the aggregator yet.
	testkit.Must(t, client.Rename(ctx, group(4), group(4)+":set").Err())
	testkit.Must(t, client.ZAdd(ctx, "asynq:{q}:aggregation_sets", redis.Z{Score: 1, Member: group(4) + ":set"}).Err())
	first("the fourth is in a set", 3)
	testkit.Must(t, client.Del(ctx, group(4)+":set").Err())
	first("the set is lost", 4)
}
