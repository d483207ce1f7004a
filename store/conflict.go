package store

import "context"

type conflictKey struct{}

// WithConflictHook has heard told of every conflict with other writers, deadlocks
// above all, that a transaction under the context meets before it is tried
// again. It must be quick.
func WithConflictHook(ctx context.Context, heard func(error)) context.Context {
	return context.WithValue(ctx, conflictKey{}, heard)
}

func conflict(ctx context.Context, err error) {
	if heard, ok := ctx.Value(conflictKey{}).(func(error)); ok {
		heard(err)
	}
}
