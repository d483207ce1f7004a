// Package sleep waits for time to pass, once or again and again, and no longer
// than a context lives.
package sleep

import (
	"context"
	"time"
)

// For returns nil when d has passed, at once for one that is not positive, and
// the error of ctx when that ends earlier.
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

// Every calls do each time d has passed, until ctx ends. Calls that a slow one
// has kept waiting are dropped but for the next, and none is made once do itself
// has ended ctx. d is positive.
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
