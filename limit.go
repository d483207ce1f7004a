package baler

import (
	"context"

	"github.com/balerhq/baler/store"
)

// Limits lists what people allow all workers together to do.
func (b *Baler) Limits(ctx context.Context) ([]store.Ceiling, error) { return b.store.Ceilings(ctx) }

// Limit says what all workers together may do over everything, in a queue, or of
// a transfer: bounds that are nil stay as they are, 0 removes one. Workers hear of
// it within seconds; batches in hand go on.
func (b *Baler) Limit(ctx context.Context, scope store.Scope, name string, inFlight *int, filesPerSecond *float64) (store.Ceiling, error) {
	return b.store.SetCeiling(ctx, scope, name, inFlight, filesPerSecond)
}
