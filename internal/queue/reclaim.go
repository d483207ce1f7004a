package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/tasks"
)

// ReclaimOrphans takes batches back from workers that have died. It removes batches
// from the queue whose lease ended at least ago before the time of Redis, and returns
// them so that they can be sent again. asynq does the same, but one to two minutes
// later.
//
// A worker that only seemed dead does no harm: asynq writes nothing for a task whose
// lease has ended. If the clocks differ by more than the caller allowed for, the
// worker's acknowledgement may delete the message that was sent again. The batch is
// still in the ledger, and the next comparison with the queue finds it missing.
func (p *Producer) ReclaimOrphans(ctx context.Context, batches []tasks.Batch, ago time.Duration) ([]tasks.Batch, error) {
	if len(batches) == 0 {
		return nil, nil
	}
	now, err := p.redis.Time(ctx).Result()
	if err = p.asking.Done(ctx, err); err != nil {
		return nil, fmt.Errorf("ask the queue for its time: %w", err)
	}
	before := now.Add(-ago)
	leases := make([]*redis.FloatCmd, len(batches))
	_, err = p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i := range batches {
			leases[i] = pipe.ZScore(ctx, leaseKey(&batches[i]), BatchTaskID(batches[i].ID))
		}
		return nil
	})
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	if err = p.asking.Done(ctx, err); err != nil {
		return nil, fmt.Errorf("ask the queue for leases: %w", err)
	}
	var orphans []tasks.Batch
	for i, lease := range leases {
		if lease.Err() != nil || lease.Val() > float64(before.Unix()) {
			continue // it waits, or a worker runs it
		}
		taken, err := p.reclaim(ctx, &batches[i], before)
		if err != nil {
			return nil, err
		}
		if taken {
			orphans = append(orphans, batches[i])
		}
	}
	return orphans, nil
}

// Reclaim takes batches back from workers that are known to have died, whatever their
// leases say: those that are with a worker are removed from the queue, and returned so
// that they can be sent again.
func (p *Producer) Reclaim(ctx context.Context, batches []tasks.Batch) ([]tasks.Batch, error) {
	return p.ReclaimOrphans(ctx, batches, -noTimeout) // no lease ends later
}

// reclaimScript checks the lease again, because it may have been renewed, or the task
// acknowledged, in the meantime.
const reclaimScript = `
local lease = redis.call("ZSCORE", KEYS[1], ARGV[1])
if not lease or tonumber(lease) > tonumber(ARGV[2]) then
	return 0
end
redis.call("ZREM", KEYS[1], ARGV[1])
redis.call("LREM", KEYS[2], 0, ARGV[1])
redis.call("DEL", KEYS[3])
return 1`

func (p *Producer) reclaim(ctx context.Context, b *tasks.Batch, before time.Time) (taken bool, err error) {
	keys := []string{leaseKey(b), "asynq:{" + b.Queue + "}:active", taskKey(b)}
	n, err := p.redis.Eval(ctx, reclaimScript, keys, BatchTaskID(b.ID), strconv.FormatInt(before.Unix(), 10)).Int()
	if err = p.asking.Done(ctx, err); err != nil {
		return false, fmt.Errorf("reclaim batch %d: %w", b.ID, err)
	}
	return n == 1, nil
}

// leaseKey is the key in which asynq v0.26.0 keeps the leases of running tasks.
func leaseKey(b *tasks.Batch) string { return "asynq:{" + b.Queue + "}:lease" }
