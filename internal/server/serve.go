package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/web"
)

// Serve answers HTTP on ln until ctx ends. Beside it run the loops of a server, and work, such
// as a worker or a dispatcher: when that ends, so does the server. It closes ln.
func (b *Backend) Serve(ctx context.Context, ln net.Listener, work func(context.Context) error) error {
	server, err := b.NewServer(ctx, ln.Addr())
	if err != nil && ctx.Err() != nil {
		return ln.Close() // it was stopped before it had begun
	}
	if err != nil {
		return errors.Join(fmt.Errorf("serve: %w", err), ln.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var background sync.WaitGroup
	var worked error
	if b.replica != nil {
		background.Go(func() { b.replica.Run(ctx) })
	}
	background.Go(func() {
		worked = work(ctx)
		cancel() // a server whose worker cannot start must end too
	})
	stop := b.StartSchedules(ctx)
	err = server.Run(ctx, ln)
	cancel()
	background.Wait()
	stop()
	return errors.Join(err, server.Close(), worked)
}

// NewServer makes the server for an address.
func (b *Backend) NewServer(ctx context.Context, at net.Addr) (*web.Server, error) {
	options, err := b.webOptions(ctx, at)
	if err != nil {
		return nil, err
	}
	if err := b.readCertificate(&options); err != nil {
		return nil, err
	}
	if c := options.Certificate; c != nil {
		c.WarnOfEnd()
		b.Certificates.Watch("http.tls.cert", c.End)
	}
	options.Results, options.RequestsPerSecond = b, b.HTTP.RequestsPerSecond
	options.Redis = b.Queue.Opt
	options.Audit = b.Store
	options.Submitter, options.Control, options.Fleet, options.Scheduler = b, b, b, b
	options.Watches, options.Reading = b.Store.Watches, db.ReadUncommitted
	if b.replica, err = b.newReplica(); err != nil {
		return nil, err
	}
	if b.replica != nil {
		options.Replica = b.replica
	}
	options.WritableMonitor = b.HTTP.MonitorReadOnly != nil && !*b.HTTP.MonitorReadOnly
	b.show(&options)
	return web.New(options)
}

// webOptions returns the options that all HTTP servers of this process share.
func (b *Backend) webOptions(ctx context.Context, at net.Addr) (o web.Options, err error) {
	if err := b.access(ctx, at, &o); err != nil {
		return o, err
	}
	b.describe(&o)
	return o, nil
}

// describe sets what the pages of all HTTP servers of this process show, and by which names
// these may be called.
func (b *Backend) describe(o *web.Options) {
	cfg := &b.HTTP
	hosts := cfg.Hosts
	if u, err := url.Parse(cfg.URL); err == nil && u.Host != "" {
		hosts = append(slices.Clone(hosts), u.Hostname())
	}
	if name, _, err := net.SplitHostPort(cfg.Listen); err == nil && name != "" {
		hosts = append(slices.Clone(hosts), name)
	}
	o.Transfers, o.RedisPing, o.Queues = explainedTransfers{b.Store, b.Control}, b.Queue.Ping, b.Queue.Stats
	o.Workers, o.Hosts, o.Metrics = b.Store.Workers, hosts, b.Metrics
	o.Log, o.Now, o.Version, o.Tracer = b.Log, b.Now, b.Version, b.Tracer
}
