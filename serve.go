package baler

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/balerhq/baler/internal/web"
)

// Serve answers HTTP on ln until ctx ends: health, metrics, transfers, and asynq's
// monitor. It also runs a dispatcher, sends webhooks, and prunes old transfers. With work
// it also runs a worker. It closes ln. On an address that other hosts can connect to it
// needs a token, see config.HTTP.
func (b *Baler) Serve(ctx context.Context, ln net.Listener, work bool) error {
	server, err := b.newServer(ln.Addr())
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

// workServed runs the worker of a server. The server also shows the worker's metrics.
func (b *Baler) workServed(ctx context.Context) error {
	final, err := b.workerFinal()
	if err != nil {
		return err
	}
	return b.work(ctx, final, nil)
}

func (b *Baler) newServer(at net.Addr) (*web.Server, error) {
	options, err := b.webOptions(at)
	if err != nil {
		return nil, err
	}
	options.Redis = b.queue.Opt
	options.WritableMonitor = b.cfg.HTTP.MonitorReadOnly != nil && !*b.cfg.HTTP.MonitorReadOnly
	return web.New(options)
}

// webOptions returns the options that all HTTP servers of this process share.
func (b *Baler) webOptions(at net.Addr) (o web.Options, err error) {
	cfg := &b.cfg.HTTP
	token, err := cfg.AuthToken(at)
	if err != nil {
		return o, err
	}
	hosts := cfg.Hosts
	if name, _, err := net.SplitHostPort(cfg.Listen); err == nil && name != "" {
		hosts = append(slices.Clone(hosts), name)
	}
	return web.Options{
		Transfers: explainedTransfers{b.store, b.Explain, b.surroundings}, RedisPing: b.queue.Ping,
		Queues: b.queue.Stats, Token: token, Hosts: hosts,
		Metrics: b.metrics, Log: b.log, Now: b.now, Version: b.version,
	}, nil
}
