package baler

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// Limits lists what people allow all workers together to do.
func (b *Baler) Limits(ctx context.Context) ([]tasks.Limit, error) { return b.store.Limits(ctx) }

// SetLimit says what all workers together may do over everything, in a queue, or of
// a transfer: bounds that are nil stay as they are, 0 removes one. Workers hear of
// it within seconds; batches in hand go on.
func (b *Baler) SetLimit(ctx context.Context, scope tasks.Scope, name string, inFlight *int, filesPerSecond *float64) (tasks.Limit, error) {
	return b.store.SetLimit(ctx, scope, name, inFlight, filesPerSecond)
}
