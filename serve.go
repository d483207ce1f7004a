package baler

import (
	"context"
	"net"
	"sync"

	"github.com/balerhq/baler/internal/server"
)

// Serve answers HTTP on ln until ctx ends: health, metrics, transfers, and asynq's
// monitor. It also runs a dispatcher, sends webhooks, and prunes old transfers. With work
// it also runs a worker. It closes ln. On an address that other hosts can connect to it
// needs accounts or a token, see CheckAccess.
func (b *Baler) Serve(ctx context.Context, ln net.Listener, work bool) error {
	if work {
		return b.backend().Serve(ctx, ln, b.workServed)
	}
	return b.backend().Serve(ctx, ln, b.serveWorkers)
}

// workServed runs the worker of a server. The server also shows the worker's metrics.
func (b *Baler) workServed(ctx context.Context) error {
	final, err := b.workerFinal()
	if err != nil {
		return err
	}
	return b.work(ctx, final, nil)
}

// serveWorkers runs the loops that a worker would have: a dispatcher, a sender of webhooks, a
// pruner and a writer of the journal. Each ends with its context, and logs its errors.
func (b *Baler) serveWorkers(ctx context.Context) error {
	b.warnOfOtherKeys(ctx)
	var loops sync.WaitGroup
	loops.Go(func() { _ = b.workerOptions().Dispatcher().Run(ctx) })
	loops.Go(func() { _ = b.workerOptions().Sender().Run(ctx) })
	loops.Go(func() { _ = b.workerOptions().Pruner().Run(ctx) })
	loops.Go(func() { _ = b.workerOptions().Journaler().Run(ctx) })
	loops.Wait()
	return nil
}

// warnOfOtherKeys warns when live workers have other signing keys than this process, which is
// no worker itself. A database that cannot be read now is reported by what comes next.
func (b *Baler) warnOfOtherKeys(ctx context.Context) {
	if b.queue.Embedded() {
		return
	}
	if workers, err := b.store.Workers(ctx); err == nil {
		b.queue.Producer.Keys.WarnOfDifferences(ctx, b.log, "", workers)
	}
}

// ServePages shows the pages of transfers on ln until ctx ends, beside a Run in the same
// process: people look, pause, cancel and retry, and submit nothing. Nobody is asked for a
// login, whatever http.ask_login and http.token say of Serve. It closes ln, which must be a
// loopback address.
func (b *Baler) ServePages(ctx context.Context, ln net.Listener) error {
	return b.backend().ServePages(ctx, ln)
}

// CheckAccess returns an error when Serve would refuse to listen at an address: other
// hosts could connect, and neither accounts nor a token nor http.insecure say who may.
//
// It also returns an error when the certificate in http.tls cannot be used.
func (b *Baler) CheckAccess(ctx context.Context, at net.Addr) error {
	return b.backend().CheckAccess(ctx, at)
}

// backend makes what answers HTTP for this process.
func (b *Baler) backend() *server.Backend {
	return server.New(server.Options{
		Store: b.store, Queue: b.queue, Control: b.control, Ingester: b.ingester, Registry: b.registry, Objects: b.objects,
		Metrics: b.metrics, Certificates: b.certificates, Log: b.log, Tracer: b.tracer, Now: b.now, Version: b.version, Name: b.cfg.Worker.Name,
		HTTP: b.cfg.HTTP, Database: b.cfg.Database, StateDir: b.cfg.StateDir, Readable: b.cfg.Roots, Writable: b.cfg.Outputs,
		RecipeFolders: b.cfg.Worker.Recipes,
		CheckRecipe:   b.CheckRecipe, OutputFiles: b.outputFiles, RunFixity: b.runBesideWorkers,
	})
}
