package baler

import (
	"context"

	"github.com/balerhq/baler/store"
)

// Limits lists what people allow all workers together to do.
func (b *Baler) Limits(ctx context.Context) ([]store.Limit, error) { return b.store.Limits(ctx) }

// SetLimit says what all workers together may do over everything, in a queue, or of
// a transfer: bounds that are nil stay as they are, 0 removes one. Workers hear of
// it within seconds; batches in hand go on.
func (b *Baler) SetLimit(ctx context.Context, scope store.Scope, name string, inFlight *int, filesPerSecond *float64) (store.Limit, error) {
	return b.store.SetLimit(ctx, scope, name, inFlight, filesPerSecond)
}
