package cli

import (
	"context"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/client"
	"github.com/balerhq/baler/tasks"
)

// The desired states of workers as the API names them.
const (
	stateRunning  = "running"
	statePaused   = "paused"
	stateDraining = "draining"
)

func nameOfState(s tasks.DesiredState) string {
	switch s {
	case tasks.WorkerPaused:
		return statePaused
	case tasks.WorkerDraining:
		return stateDraining
	case tasks.WorkerRunning:
	}
	return stateRunning
}

// Workers implements fleet.
func (r *remote) Workers(ctx context.Context) ([]tasks.Worker, error) {
	found, err := r.Client.Workers(ctx)
	all := make([]tasks.Worker, len(found))
	for i := range found {
		w := &found[i]
		all[i] = tasks.Worker{
			Name: w.Name, Handlers: w.Handlers, Slots: w.Slots, Version: w.Version, LimitsInUse: w.LimitsInUse, StartedAt: w.StartedAt,
			SeenAt: w.SeenAt, Queues: w.Queues, Throttled: w.Throttled, LogLevel: w.LogLevel, Trouble: w.Trouble,
		}
		switch w.State {
		case statePaused:
			all[i].DesiredState = tasks.WorkerPaused
		case stateDraining:
			all[i].DesiredState = tasks.WorkerDraining
		}
	}
	return all, err
}

// SetWorkerState implements fleet.
func (r *remote) SetWorkerState(ctx context.Context, name string, desired tasks.DesiredState) error {
	return r.Client.SetWorkerState(ctx, name, nameOfState(desired))
}

// SetWorkerLogLevel implements fleet.
func (r *remote) SetWorkerLogLevel(ctx context.Context, name, level string) error {
	return r.Client.SetWorkerLogLevel(ctx, name, level)
}

// Queues implements fleet.
func (r *remote) Queues(ctx context.Context) ([]baler.QueueStats, error) {
	found, err := r.Client.Queues(ctx)
	all := make([]baler.QueueStats, len(found))
	for i, q := range found {
		all[i] = baler.QueueStats{
			Name: q.Name, Paused: q.Paused, Pending: q.Pending, Active: q.Active, Retrying: q.Retrying, Grouped: q.Grouped,
			Age: time.Duration(q.Age * float64(time.Second)),
		}
	}
	return all, err
}

// PauseQueue implements fleet.
func (r *remote) PauseQueue(ctx context.Context, name string, pause bool) error {
	state := stateRunning
	if pause {
		state = statePaused
	}
	return r.SetQueueState(ctx, name, state)
}

// Limits implements fleet.
func (r *remote) Limits(ctx context.Context) ([]tasks.Limit, error) {
	found, err := r.Client.Limits(ctx)
	all := make([]tasks.Limit, len(found))
	for i, l := range found {
		all[i] = limitOf(&l)
	}
	return all, err
}

// SetLimit implements fleet.
func (r *remote) SetLimit(ctx context.Context, scope tasks.Scope, name string, change tasks.LimitChange) (tasks.Limit, error) {
	l, err := r.Client.SetLimit(ctx, string(scope), name, client.LimitBounds(change))
	return limitOf(&l), err
}

func limitOf(l *client.Limit) tasks.Limit {
	return tasks.Limit{
		Scope: tasks.Scope(l.Scope), Name: l.Name, InFlight: l.InFlight, FilesPerSecond: l.FilesPerSecond, PerHost: l.PerHost,
		Weight: l.Weight, Trouble: l.Trouble, Note: l.Note,
	}
}
