package baler

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// Limits lists the limits that are set for all workers together.
func (b *Baler) Limits(ctx context.Context) ([]tasks.Limit, error) { return b.store.Limits(ctx) }

// SetLimit limits all workers together: globally, in one queue, or for one transfer.
// inFlight is the number of batches that run at once. nil keeps the present bound, 0
// removes it. Workers apply the limit within seconds; running batches continue.
func (b *Baler) SetLimit(ctx context.Context, scope tasks.Scope, name string, inFlight *int, filesPerSecond *float64) (tasks.Limit, error) {
	if scope == tasks.ScopeQueue {
		if err := tasks.CheckQueue(name); err != nil {
			return tasks.Limit{}, err
		}
	}
	return b.store.SetLimit(ctx, scope, name, inFlight, filesPerSecond)
}
