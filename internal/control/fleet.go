package control

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// ErrWorkerNotFound says that no live worker has the name.
var ErrWorkerNotFound = errors.New("no such worker")

// Workers lists the live workers by name.
func (c *Controller) Workers(ctx context.Context) ([]tasks.Worker, error) {
	return c.store.Workers(ctx)
}

// SetWorkerState sets the desired state of a live worker, which applies it within seconds.
func (c *Controller) SetWorkerState(ctx context.Context, name string, desired tasks.DesiredState) error {
	known, err := c.store.SetDesiredState(ctx, name, desired)
	if err == nil && !known {
		err = fmt.Errorf("%w: %s", ErrWorkerNotFound, name)
	}
	return err
}

// Queues lists the queues in Redis, and those that are paused.
func (c *Controller) Queues(ctx context.Context) ([]queue.Stats, error) {
	paused, err := c.store.PausedQueues(ctx)
	if err != nil {
		return nil, err
	}
	queues, err := c.queue.Stats(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range paused { // Redis may have lost them a moment ago
		i := slices.IndexFunc(queues, func(q queue.Stats) bool { return q.Name == name })
		if i < 0 {
			i, queues = len(queues), append(queues, queue.Stats{Name: name})
		}
		queues[i].Paused = true
	}
	return queues, nil
}

// PauseQueue stops workers from taking batches from a queue, or, when pause is false, lets
// them take batches again. The database keeps it, so that Redis may lose it: the dispatcher
// pauses the queue again within a second.
func (c *Controller) PauseQueue(ctx context.Context, name string, pause bool) error {
	if err := c.store.SetQueuePaused(ctx, name, pause); err != nil {
		return err
	}
	if !pause {
		return c.queue.Producer.ResumeQueue(ctx, name)
	}
	_, err := c.queue.Producer.PauseQueues(ctx, []string{name})
	return err
}

// Limits lists the limits that are set for all workers together.
func (c *Controller) Limits(ctx context.Context) ([]tasks.Limit, error) { return c.store.Limits(ctx) }

// SetLimit limits all workers together. nil keeps the present bound, 0 removes it.
func (c *Controller) SetLimit(
	ctx context.Context, scope tasks.Scope, name string, inFlight *int, filesPerSecond *float64,
) (tasks.Limit, error) {
	if scope == tasks.ScopeQueue {
		if err := tasks.CheckQueue(name); err != nil {
			return tasks.Limit{}, err
		}
	}
	return c.store.SetLimit(ctx, scope, name, inFlight, filesPerSecond)
}
