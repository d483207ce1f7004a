package baler

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/tasks"
)

// Serve answers HTTP on ln until ctx ends: health, metrics, transfers, and asynq's
// monitor. It also runs a dispatcher, sends webhooks, and prunes old transfers. With work
// it also runs a worker. It closes ln. On an address that other hosts can connect to it
// needs accounts or a token, see CheckAccess.
func (b *Baler) Serve(ctx context.Context, ln net.Listener, work bool) error {
	face := &httpFace{Baler: b, registrar: ingest.NewServerRegistrar(b.ingester, b.outputFiles)}
	server, err := b.newServer(ctx, ln.Addr(), face)
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
	if face.replica != nil {
		background.Go(func() { face.replica.Run(ctx) })
	}
	background.Go(func() {
		if !work {
			_ = b.workerOptions().Dispatcher().Run(ctx) // it ends with its context and logs its errors
			return
		}
		worked = b.workServed(ctx)
		cancel() // a server whose worker cannot start must end too
	})
	background.Go(func() { _ = face.registrar.Run(ctx) })      // it ends with its context and logs its errors
	background.Go(func() { _ = face.scheduleLoop().Run(ctx) }) // as above
	if !work {                                                 // a worker has a sender and a pruner of its own
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

func (b *Baler) newServer(ctx context.Context, at net.Addr, face *httpFace) (*web.Server, error) {
	options, err := b.webOptions(ctx, at)
	if err != nil {
		return nil, err
	}
	if options.Certificate, err = b.certificate(); err != nil {
		return nil, err
	}
	options.Results, options.RequestsPerSecond = face, b.cfg.HTTP.RequestsPerSecond
	options.Redis = b.queue.Opt
	options.Audit = b.store
	options.Submitter, options.Control, options.Fleet, options.Scheduler = face, face, face, face
	options.Watches = b.store.Watches
	if face.replica, err = b.newReplica(); err != nil {
		return nil, err
	}
	if face.replica != nil {
		options.Replica = face.replica
	}
	options.WritableMonitor = b.cfg.HTTP.MonitorReadOnly != nil && !*b.cfg.HTTP.MonitorReadOnly
	face.show(&options)
	return web.New(options)
}

// webOptions returns the options that all HTTP servers of this process share.
func (b *Baler) webOptions(ctx context.Context, at net.Addr) (o web.Options, err error) {
	if err := b.access(ctx, at, &o); err != nil {
		return o, err
	}
	b.describe(&o)
	return o, nil
}

// describe sets what the pages of all HTTP servers of this process show, and by which names
// these may be called.
func (b *Baler) describe(o *web.Options) {
	cfg := &b.cfg.HTTP
	hosts := cfg.Hosts
	if u, err := url.Parse(cfg.URL); err == nil && u.Host != "" {
		hosts = append(slices.Clone(hosts), u.Hostname())
	}
	if name, _, err := net.SplitHostPort(cfg.Listen); err == nil && name != "" {
		hosts = append(slices.Clone(hosts), name)
	}
	o.Transfers, o.RedisPing, o.Queues = explainedTransfers{b.store, b.Explain, b.ExplainTime, b.surroundings}, b.queue.Ping, b.queue.Stats
	o.Workers, o.Hosts, o.Metrics = b.store.Workers, hosts, b.metrics
	o.Log, o.Now, o.Version, o.Tracer = b.log, b.now, b.version, b.tracer
}

// explainedTransfers reads transfers with WaitingFor, for the HTTP API.
type explainedTransfers struct {
	*store.Store

	explain      func(context.Context, []tasks.Transfer) error
	explainTime  func(context.Context, *tasks.Transfer) error
	surroundings func(context.Context) (ledger.Surroundings, error)
}

// Waiting counts the transfers that stand still, by the reason.
func (e explainedTransfers) Waiting(ctx context.Context) (map[ledger.WaitReason]int64, error) {
	around, err := e.surroundings(ctx)
	if err != nil {
		return nil, err
	}
	return e.CountWaiting(ctx, &around)
}

// Transfer is Store.Transfer with WaitingFor and WallTime.
func (e explainedTransfers) Transfer(ctx context.Context, uuid string) (tasks.Transfer, error) {
	t, err := e.Store.Transfer(ctx, uuid)
	if errors.Is(err, tasks.ErrTransferNotFound) && db.Replicated(ctx) { // it may be too new for the replica
		t, err = e.Store.Transfer(db.OnPrimary(ctx), uuid)
	}
	if err != nil {
		return t, err
	}
	one := []tasks.Transfer{t}
	if err = e.explain(ctx, one); err == nil {
		err = e.explainTime(ctx, &one[0])
	}
	return one[0], err
}

// Transfers is Store.Transfers with WaitingFor.
func (e explainedTransfers) Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error) {
	ts, err := e.Store.Transfers(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	return ts, e.explain(ctx, ts)
}

// served is a process that has an admin server.
type served interface {
	Run(ctx context.Context) error
	Ready() error
}

// admin is the HTTP server of a worker or a watch.
type admin struct {
	*Baler

	ln net.Listener
}

// openAdmin listens at the admin address of the configuration.
func (b *Baler) openAdmin(ctx context.Context) (*admin, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", b.cfg.Worker.AdminListen)
	if err != nil {
		return nil, fmt.Errorf("admin server: %w (set --admin-listen to a free address, or to off)", err)
	}
	b.log.InfoContext(ctx, "admin server listens", "url", "http://"+ln.Addr().String())
	return &admin{Baler: b, ln: ln}, nil
}

// serveWhile runs a worker or a watch, and answers requests from before it starts until it
// has stopped. When the admin server fails, it continues, and serveWhile returns
// the error in the end.
func (a *admin) serveWhile(ctx context.Context, w served) error {
	server, err := a.newServer(ctx, w)
	if err != nil {
		return errors.Join(err, a.ln.Close())
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	served := make(chan error, 1)
	go func() {
		err := server.Run(serving, a.ln)
		if err != nil {
			a.log.ErrorContext(ctx, "admin server failed; this process continues without it", "error", err)
		}
		served <- err
	}()
	err = w.Run(ctx)
	stop()
	return errors.Join(err, <-served)
}

func (a *admin) newServer(ctx context.Context, w served) (*web.Server, error) {
	options, err := a.webOptions(ctx, a.ln.Addr())
	if err != nil {
		return nil, fmt.Errorf("admin server: %w", err)
	}
	options.LoginPage = false // programs alone use it
	options.Ready, options.Profile = w.Ready, a.cfg.Worker.Profile
	return web.NewAdmin(options)
}
