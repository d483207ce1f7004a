package store

import (
	"context"
	"github.com/balerhq/baler/internal/sleep"
	"log/slog"
	"time"
)

// outlastFor is how long Outlast waits: longer than a restart or a failover takes.
const outlastFor = 5 * time.Minute

// RetryOutage runs do again while the database is away. It is for those who have
// nobody behind them to try again, such as a producer in the middle of a scan.
func RetryOutage(ctx context.Context, log *slog.Logger, do func() error) error {
	for begun := time.Now(); ; {
		err := do()
		if err == nil || !IsOutage(err) || time.Since(begun) > outlastFor {
			return err
		}
		log.WarnContext(ctx, "the database is away, trying again", "error", err)
		if sleep.For(ctx, time.Second) != nil {
			return err
		}
	}
}
