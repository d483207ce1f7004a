package db

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/backoff"
	"github.com/balerhq/baler/internal/sleep"
)

// MaxWriteAttempts is how often one transaction is run at most; with the
// delays below that takes a little over five seconds.
const MaxWriteAttempts = 10

// The delays between the attempts of a transaction, with jitter, so that colliding
// transactions do not retry in step.
const (
	firstWriteDelay = 5 * time.Millisecond
	maxWriteDelay   = time.Second
)

// Write runs fn in one transaction, and again from the start after a transient
// error. fn must not keep state between runs. now is the same for all that one
// run writes. Errors begin with what.
func (d *DB) Write(ctx context.Context, what string, fn func(tx *gorm.DB, now time.Time) error) error {
	d.keepTime(ctx)
	if err := d.writable(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	for attempt := 1; ; attempt++ {
		err := d.writeOnce(ctx, fn)
		if err == nil {
			return nil
		}
		if !IsTransient(err) || attempt == MaxWriteAttempts || ctx.Err() != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		d.log.DebugContext(ctx, "database conflict, retrying", "what", what, "attempt", attempt, "error", err)
		if sleep.For(ctx, backoff.Jitter(backoff.Delay(firstWriteDelay, maxWriteDelay, attempt))) != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// writeOnce runs fn in one transaction. On SQLite, which takes one writer at a time, the
// transactions of this process wait for each other here, in the order in which they come:
// the file's own lock is tried again after a while, and whoever tries just then has it.
func (d *DB) writeOnce(ctx context.Context, fn func(tx *gorm.DB, now time.Time) error) error {
	if d.dialect == SQLite {
		select {
		case d.writer <- struct{}{}:
			defer func() { <-d.writer }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return Interrupted(ctx, d.gorm.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		return fn(tx, d.Stamp())
	}))
}
