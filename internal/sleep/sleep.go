// Package sleep waits for a duration, once or repeatedly, until a context ends.
package sleep

import (
	"context"
	"time"
)

// For returns nil after d, at once when d is not positive, or the error of ctx when
// that ends earlier.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Every calls do at intervals of d until ctx ends. When do takes longer than d, the
// calls that it misses are dropped, except for one. There is no call after do itself
// has ended ctx. d must be positive.
func Every(ctx context.Context, d time.Duration, do func()) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			do()
		case <-ctx.Done():
		}
	}
}
