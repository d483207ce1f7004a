package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// pausedKey is the key with which asynq v0.26.0 marks a paused queue.
func pausedKey(queue string) string { return "asynq:{" + queue + "}:paused" }

// PauseQueues pauses queues, and returns those that were not paused.
func (p *Producer) PauseQueues(ctx context.Context, names []string) (changed []string, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	set := make([]*redis.BoolCmd, len(names))
	_, err = p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, name := range names {
			set[i] = pipe.SetNX(ctx, pausedKey(name), time.Now().Unix(), 0)
		}
		return nil
	})
	if err = p.sending.Done(ctx, err); err != nil {
		return nil, fmt.Errorf("pause queues: %w", err)
	}
	for i, name := range names {
		if set[i].Val() {
			changed = append(changed, name)
		}
	}
	return changed, nil
}

// ResumeQueue lets workers take batches of a queue again.
func (p *Producer) ResumeQueue(ctx context.Context, name string) error {
	if err := p.sending.Done(ctx, p.redis.Del(ctx, pausedKey(name)).Err()); err != nil {
		return fmt.Errorf("resume queue %s: %w", name, err)
	}
	return nil
}
