package db

import "context"

type conflictKey struct{}

// WithConflictHook returns a context under which hook is called for each deadlock
// or lock conflict before Write retries its transaction. hook must not block.
func WithConflictHook(ctx context.Context, hook func(error)) context.Context {
	return context.WithValue(ctx, conflictKey{}, hook)
}

func reportConflict(ctx context.Context, err error) {
	if hook, ok := ctx.Value(conflictKey{}).(func(error)); ok {
		hook(err)
	}
}
