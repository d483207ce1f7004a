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

// Serve answers HTTP on ln until ctx ends: health, metrics, transfers, and
// asynq's monitor. It is also a dispatcher, and sends webhooks when transfers end.
// With work it is a worker too. It closes ln. On an address that other hosts can
// connect to it needs a token, see config.HTTP.
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
		worked = b.Work(ctx)
		cancel() // a server whose worker cannot start must end too
	})
	if !work { // a worker has a sender of its own
		background.Go(func() { _ = b.workerOptions().Sender().Run(ctx) }) // it ends with its context and logs its errors
	}
	err = server.Run(ctx, ln)
	cancel()
	background.Wait()
	return errors.Join(err, server.Close(), worked)
}

func (b *Baler) newServer(at net.Addr) (*web.Server, error) {
	cfg := &b.cfg.HTTP
	token, err := cfg.AuthToken(at)
	if err != nil {
		return nil, err
	}
	hosts := cfg.Hosts
	if name, _, err := net.SplitHostPort(cfg.Listen); err == nil && name != "" {
		hosts = append(slices.Clone(hosts), name)
	}
	return web.New(web.Options{
		Transfers: b.store, RedisPing: b.queue.Ping, Redis: b.queue.Opt,
		Token: token, Hosts: hosts, WritableMonitor: cfg.MonitorReadOnly != nil && !*cfg.MonitorReadOnly,
		Metrics: b.metrics, Log: b.log, Now: b.now, Version: b.version,
	})
}
