package db

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/sleep"
)

// MaxWriteAttempts is how often one transaction is run at most; with the
// backoff below that takes a little over five seconds.
const MaxWriteAttempts = 10

// Write runs fn in one transaction, and again from the start after a transient
// error. fn must not keep state between runs. now is the same for all that one
// run writes. Errors begin with what.
func (d *DB) Write(ctx context.Context, what string, fn func(tx *gorm.DB, now time.Time) error) error {
	for attempt := 1; ; attempt++ {
		err := d.Session(ctx).Transaction(func(tx *gorm.DB) error {
			return fn(tx, d.Stamp())
		})
		if err == nil {
			return nil
		}
		if !IsTransient(err) || attempt == MaxWriteAttempts || ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		reportConflict(ctx, err)
		d.log.DebugContext(ctx, "database conflict, retrying", "what", what, "attempt", attempt, "error", err)
		if sleep.For(ctx, backoff(attempt)) != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// Stamp returns the present time, truncated to the microseconds that the
// database keeps.
func (d *DB) Stamp() time.Time { return d.now().UTC().Truncate(time.Microsecond) }

// backoff doubles from 5 ms to 1 s, with jitter, so that colliding transactions
// do not retry in step.
func backoff(attempt int) time.Duration {
	d := min(5*time.Millisecond<<(attempt-1), time.Second)
	return d/2 + rand.N(d/2+1)
}
