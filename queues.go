package baler

import (
	"context"
	"fmt"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/queue"
)

// QueueStats is what a queue holds.
type QueueStats = queue.Stats

// Queues lists the queues in Redis.
func (b *Baler) Queues(ctx context.Context) ([]QueueStats, error) { return b.queue.Stats(ctx) }

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
