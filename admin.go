package baler

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/balerhq/baler/internal/web"
	"github.com/balerhq/baler/internal/worker"
)

// admin is the HTTP server of a worker.
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

// serveWhile runs a worker, and answers requests from before the worker starts until it
// has stopped. When the admin server fails, the worker continues, and serveWhile returns
// the error in the end.
func (a *admin) serveWhile(ctx context.Context, w *worker.Worker) error {
	server, err := a.newServer(w)
	if err != nil {
		return errors.Join(err, a.ln.Close())
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	served := make(chan error, 1)
	go func() {
		err := server.Run(serving, a.ln)
		if err != nil {
			a.log.ErrorContext(ctx, "admin server failed; the worker continues without it", "error", err)
		}
		served <- err
	}()
	err = w.Run(ctx)
	stop()
	return errors.Join(err, <-served)
}

func (a *admin) newServer(w *worker.Worker) (*web.Server, error) {
	options, err := a.webOptions(a.ln.Addr())
	if err != nil {
		return nil, fmt.Errorf("admin server: %w", err)
	}
	options.Ready, options.Profile = w.Ready, a.cfg.Worker.Profile
	return web.NewAdmin(options)
}
