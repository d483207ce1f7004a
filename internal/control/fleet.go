package control

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/balerhq/baler/internal/loglevel"
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

// SetWorkerLogLevel sets the log level of a live worker: debug, info, warn, error, or configured
// for that of its settings. The worker applies it within seconds, and forgets it when it ends.
func (c *Controller) SetWorkerLogLevel(ctx context.Context, name, level string) error {
	if _, err := loglevel.Parse(level); err != nil {
		return err
	}
	if level == loglevel.Configured {
		level = ""
	}
	known, err := c.store.SetLogLevel(ctx, name, level)
	if err == nil && !known {
		err = fmt.Errorf("%w: %s", ErrWorkerNotFound, name)
	}
	return err
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
func (c *Controller) Limits(ctx context.Context) ([]tasks.Limit, error) {
	limits, err := c.store.Limits(ctx)
	if err != nil {
		return nil, err
	}
	return limits, c.noteLimits(ctx, limits)
}

// SetLimit limits all workers together. A limit that applies to nothing that is known has a
// note.
func (c *Controller) SetLimit(ctx context.Context, scope tasks.Scope, name string, change tasks.LimitChange) (tasks.Limit, error) {
	var err error
	switch scope {
	case tasks.ScopeQueue:
		err = tasks.CheckQueue(name)
		if name == "" { // a limit under this name would limit nothing
			err = errors.New("name the queue that is to be limited")
		}
		if change.Weight != nil && (*change.Weight < 0 || *change.Weight > tasks.MaxWeight) {
			err = fmt.Errorf("a queue has a weight from 1 to %d, or 0 for that of the workers' configuration, not %d",
				tasks.MaxWeight, *change.Weight)
		}
	case tasks.ScopeHandler, tasks.ScopeName:
		err = tasks.CheckLimitName(name)
	case tasks.ScopeAll, tasks.ScopeTransfer: // no name, and that of a transfer that the caller has found
	}
	if change.Weight != nil && scope != tasks.ScopeQueue {
		err = errors.New("only a queue has a weight here; baler update changes that of a transfer")
	}
	if err != nil {
		return tasks.Limit{}, err
	}
	set := make([]tasks.Limit, 1)
	if set[0], err = c.store.SetLimit(ctx, scope, name, change); err != nil {
		return tasks.Limit{}, err
	}
	err = c.noteLimits(ctx, set)
	if err == nil {
		err = c.noteUnusedName(ctx, &set[0])
	}
	if err != nil { // it is set, and an error would say that it is not
		c.log.WarnContext(ctx, "control: cannot tell whether the limit applies to anything", "scope", scope, "name", name, "error", err)
	}
	return set[0], nil
}
