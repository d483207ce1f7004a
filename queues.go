package baler

import (
	"context"
	"fmt"

	"github.com/hibiken/asynq"
)

// QueueStats is what a queue holds.
type QueueStats struct {
	Name     string `json:"queue"`
	Paused   bool   `json:"paused"`
	Pending  int    `json:"pending"`  // batches that wait
	Active   int    `json:"active"`   // batches that workers run
	Retrying int    `json:"retrying"` // batches that went back and wait a moment
	Grouped  int    `json:"grouped"`  // files that wait to be collected into batches
}

// Queues lists the queues that Redis knows.
func (b *Baler) Queues(context.Context) ([]QueueStats, error) {
	inspector := asynq.NewInspectorFromRedisClient(b.queue.Client)
	names, err := inspector.Queues()
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	queues := make([]QueueStats, 0, len(names))
	for _, name := range names {
		info, err := inspector.GetQueueInfo(name)
		if err != nil {
			return nil, fmt.Errorf("look at queue %s: %w", name, err)
		}
		queues = append(queues, QueueStats{
			Name: name, Paused: info.Paused, Pending: info.Pending, Active: info.Active, Retrying: info.Retry,
			Grouped: info.Aggregating,
		})
	}
	return queues, nil
}

// PauseQueue stops workers from taking batches from a queue, or, when pause is
// false, lets them take batches again.
func (b *Baler) PauseQueue(_ context.Context, name string, pause bool) error {
	inspector := asynq.NewInspectorFromRedisClient(b.queue.Client)
	do, what := inspector.UnpauseQueue, "resume"
	if pause {
		do, what = inspector.PauseQueue, "pause"
	}
	if err := do(name); err != nil {
		return fmt.Errorf("%s queue %s: %w", what, name, err)
	}
	return nil
}
