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
// asynq's monitor. It is also a dispatcher, and sends webhooks when transfers end.
// With work it is a worker too. It closes ln.
func (b *Baler) Serve(ctx context.Context, ln net.Listener, work bool) error {
	options := b.webOptions()
	options.Redis, options.ReadOnlyMonitor = b.queue.Opt, b.cfg.HTTP.MonitorReadOnly
	server, err := web.New(options)
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
		worked = b.workServed(ctx)
		cancel() // a server whose worker cannot start must end too
	})
	if !work { // a worker has a sender and a pruner of its own
		background.Go(func() { _ = b.workerOptions().Sender().Run(ctx) }) // it ends with its context and logs its errors
		background.Go(func() { _ = b.workerOptions().Pruner().Run(ctx) }) // as above
	}
	err = server.Run(ctx, ln)
	cancel()
	background.Wait()
	return errors.Join(err, server.Close(), worked)
}

// workServed runs the worker of a server, whose pages show its metrics too.
func (b *Baler) workServed(ctx context.Context) error {
	final, err := b.workerFinal()
	if err != nil {
		return err
	}
	return b.work(ctx, final)
}

// webOptions is what every server of this process shows.
func (b *Baler) webOptions() web.Options {
	return web.Options{
		Transfers: b.store, RedisPing: b.queue.Ping, Queues: b.queue.Stats,
		Metrics: b.metrics, Log: b.log, Now: b.now, Version: b.version,
	}
}
