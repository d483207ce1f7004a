package baler

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/balerhq/baler/internal/web"
)

// Serve answers HTTP on ln until ctx ends: health, metrics, transfers, and
// asynq's monitor. It also stands by as a dispatcher, and tells webhooks of ends
// of transfers. With work it is a worker too.
func (b *Baler) Serve(ctx context.Context, ln net.Listener, work bool) error {
	server, err := web.New(web.Options{
		Transfers: b.store, RedisPing: b.queue.Ping, Redis: b.queue.Opt, ReadOnlyMonitor: b.cfg.HTTP.MonitorReadOnly,
		Metrics: b.metrics, Log: b.log, Now: b.now, Version: b.version,
	})
	if err != nil {
		return errors.Join(fmt.Errorf("serve: %w", err), ln.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var background sync.WaitGroup
	var worked error
	background.Go(func() {
		if !work {
			_ = b.workerOptions().Dispatcher().Run(ctx) // it ends with its context and logs its errors
			return
		}
		worked = b.Work(ctx)
		cancel() // a worker that cannot start takes the server along
	})
	if !work { // a worker brings its own
		background.Go(func() { _ = b.workerOptions().Sender().Run(ctx) }) // it ends with its context and logs its errors
	}
	err = server.Run(ctx, ln)
	cancel()
	background.Wait()
	return errors.Join(err, server.Close(), worked)
}
