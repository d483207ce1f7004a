package db

import (
	"context"
	"log/slog"
	"time"

	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/sleep"
)

// outagePatience is how long RetryOutage retries: longer than a restart or a
// failover takes.
const outagePatience = 5 * time.Minute

// RetryOutage runs do again, for up to five minutes, while the database is unavailable.
// It is for callers that are not retried, such as a producer in the middle of a scan.
func RetryOutage(ctx context.Context, log *slog.Logger, do func() error) error {
	watch := outage.New(log, outage.Database, "go on with what was begun")
	for begun := time.Now(); ; {
		err := do()
		if err == nil {
			watch.Answered(ctx)
		}
		if err == nil || !IsOutage(err) || time.Since(begun) > outagePatience {
			return err
		}
		_ = watch.Failed(ctx, err)
		if sleep.For(ctx, time.Second) != nil {
			return err
		}
	}
}

// RetryOutage is the function of that name with d's log.
func (d *DB) RetryOutage(ctx context.Context, do func() error) error {
	return RetryOutage(ctx, d.log, do)
}
