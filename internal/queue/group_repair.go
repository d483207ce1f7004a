package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/tasks"
)

// GroupBacklog returns the number of file messages of the handlers that wait in a queue
// to be collected into batches.
func (p *Producer) GroupBacklog(ctx context.Context, queue string, handlers []string) (int64, error) {
	sizes, err := p.groupSizes(ctx, queue, handlers)
	if err != nil {
		return 0, err
	}
	var n int64
	for _, size := range sizes {
		n += size
	}
	return n, nil
}

// RepairGroups restores group names that asynq has lost: when asynq reclaims a set
// after a crash, it does not add the group to the set of names where the aggregator
// looks for groups. It returns the number of repaired groups. It also restores the name
// of the queue, because asynq's client writes that only once, and after Redis was
// emptied no inspector would list the queue.
func (p *Producer) RepairGroups(ctx context.Context, queue string, handlers []string) (healed int64, err error) {
	if err := p.repairing.Done(ctx, p.redis.SAdd(ctx, "asynq:queues", queue).Err()); err != nil {
		return 0, fmt.Errorf("restore the queue's name: %w", err)
	}
	sizes, err := p.groupSizes(ctx, queue, handlers)
	if err != nil {
		return 0, err
	}
	var names []any
	for name, size := range sizes {
		if size > 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return 0, nil
	}
	healed, err = p.redis.SAdd(ctx, "asynq:{"+queue+"}:groups", names...).Result()
	if err = p.repairing.Done(ctx, err); err != nil {
		return 0, fmt.Errorf("repair groups: %w", err)
	}
	return healed, nil
}

// groupSizes queries all shards of the handlers in one pipeline.
func (p *Producer) groupSizes(ctx context.Context, queue string, handlers []string) (map[string]int64, error) {
	sizes := make(map[string]*redis.IntCmd, len(handlers)*tasks.GroupShards)
	_, err := p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, h := range handlers {
			for shard := range tasks.GroupShards {
				name := tasks.GroupName(h, shard)
				sizes[name] = pipe.ZCard(ctx, "asynq:{"+queue+"}:g:"+name)
			}
		}
		return nil
	})
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	if err = p.asking.Done(ctx, err); err != nil {
		return nil, fmt.Errorf("ask for group sizes: %w", err)
	}
	n := make(map[string]int64, len(sizes))
	for name, cmd := range sizes {
		n[name] = cmd.Val()
	}
	return n, nil
}
