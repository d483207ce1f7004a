package ingest

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/sleep"
)

// producerHeartbeat is how often a producer reports that it lives.
const producerHeartbeat = 5 * time.Second

// heartbeat reports to the database that the producer of a transfer lives, until ctx ends.
func (g *Ingester) heartbeat(ctx context.Context, transfer int64) {
	sleep.Every(ctx, producerHeartbeat, func() {
		if err := g.store.HeartbeatTransfer(ctx, transfer); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "producer: heartbeat failed", "error", err)
		}
	})
}
