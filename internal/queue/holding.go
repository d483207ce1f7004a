package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// asynq detects that a worker has died when the lease of 30 seconds on its task has ended,
// and the worker writes the lease by its own clock. So each worker also publishes every
// second which batches it holds, in a key that Redis itself expires.

// holdersKey is the set of all workers that hold batches.
const holdersKey = "baler:holders"

// HoldTime is for how long a worker counts as alive after each Hold.
const HoldTime = 5 * time.Second

func holdingKey(holder string) string { return "baler:holding:" + holder }

// Hold publishes that a worker is alive and runs these batches. holder is unique to the
// process; the worker calls Hold again well within HoldTime.
func (p *Producer) Hold(ctx context.Context, holder string, batches []int64) error {
	var list strings.Builder
	for _, id := range batches {
		list.WriteString(strconv.FormatInt(id, 10))
		list.WriteByte(' ')
	}
	_, err := p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.SAdd(ctx, holdersKey, holder)
		pipe.Set(ctx, holdingKey(holder), list.String(), HoldTime)
		return nil
	})
	if err != nil {
		return fmt.Errorf("publish running batches: %w", err)
	}
	return nil
}

// ReleaseHold publishes that a worker has stopped.
func (p *Producer) ReleaseHold(ctx context.Context, holder string) error {
	_, err := p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.SRem(ctx, holdersKey, holder)
		pipe.Del(ctx, holdingKey(holder))
		return nil
	})
	if err != nil {
		return fmt.Errorf("publish that no batch is running: %w", err)
	}
	return nil
}

// Unheld lists the batches that the queue has given to a worker and that no live worker
// holds. A batch that a worker has just taken or just ended may be listed for a moment.
func (p *Producer) Unheld(ctx context.Context) ([]int64, error) {
	active, err := p.active(ctx)
	if err = p.asking.Done(ctx, err); err != nil || len(active) == 0 {
		return nil, err
	}
	held, err := p.held(ctx)
	if err = p.asking.Done(ctx, err); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(active, func(id int64) bool { return held[id] }), nil
}

// active lists the batches of all queues that are with a worker.
func (p *Producer) active(ctx context.Context) ([]int64, error) {
	queues, err := p.redis.SMembers(ctx, "asynq:queues").Result()
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	lists := make([]*redis.StringSliceCmd, len(queues))
	_, err = p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, queue := range queues {
			lists[i] = pipe.LRange(ctx, "asynq:{"+queue+"}:active", 0, -1)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list active batches: %w", err)
	}
	var ids []int64
	for _, list := range lists {
		for _, task := range list.Val() {
			if id, err := strconv.ParseInt(task, 10, 64); err == nil { // other tasks are not batches
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

// held lists the batches that live workers hold. It forgets workers that are not alive.
func (p *Producer) held(ctx context.Context) (map[int64]bool, error) {
	holders, err := p.redis.SMembers(ctx, holdersKey).Result()
	if err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	values := make([]*redis.StringCmd, len(holders))
	_, err = p.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for i, holder := range holders {
			values[i] = pipe.Get(ctx, holdingKey(holder))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("list running batches: %w", err)
	}
	held := make(map[int64]bool)
	var dead []any
	for i, value := range values {
		switch {
		case errors.Is(value.Err(), redis.Nil):
			dead = append(dead, holders[i])
		case value.Err() != nil:
			return nil, fmt.Errorf("list running batches: %w", value.Err())
		}
		for text := range strings.FieldsSeq(value.Val()) {
			if id, err := strconv.ParseInt(text, 10, 64); err == nil {
				held[id] = true
			}
		}
	}
	if len(dead) > 0 {
		// A worker that was only slow adds itself again.
		if err := p.redis.SRem(ctx, holdersKey, dead...).Err(); err != nil {
			return nil, fmt.Errorf("forget dead workers: %w", err)
		}
	}
	return held, nil
}
