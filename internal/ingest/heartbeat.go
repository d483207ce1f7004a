package ingest

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/sleep"
)

// producerHeartbeat is how often a producer reports that it lives.
const producerHeartbeat = 5 * time.Second

// heartbeat reports to the database that the producer of a transfer lives, until ctx ends.
func (g *Ingester) heartbeat(ctx context.Context, transfer int64) {
	watch := outage.New(g.log, outage.Database, "send the producer's heartbeat")
	sleep.Every(ctx, producerHeartbeat, func() {
		_ = watch.Done(ctx, g.store.HeartbeatTransfer(ctx, transfer))
	})
}
