package server

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/balerhq/baler/internal/web"
)

// Served is a process that has an admin server.
type Served interface {
	Run(ctx context.Context) error
	Ready() error
}

// Admin is the HTTP server of a worker or a watch.
type Admin struct {
	backend *Backend
	ln      net.Listener
}

// OpenAdmin listens at an address.
func (b *Backend) OpenAdmin(ctx context.Context, address string) (*Admin, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("admin server: %w (set --admin-listen to a free address, or to off)", err)
	}
	b.Log.InfoContext(ctx, "admin server listens", "url", "http://"+ln.Addr().String())
	return &Admin{backend: b, ln: ln}, nil
}

// Close closes an Admin that has served nothing.
func (a *Admin) Close() error { return a.ln.Close() }

// ServeWhile runs a worker or a watch, and answers requests from before it starts until it
// has stopped. When the admin server fails, it continues, and ServeWhile returns
// the error in the end.
func (a *Admin) ServeWhile(ctx context.Context, w Served, profile bool) error {
	server, err := a.newServer(ctx, w, profile)
	if err != nil {
		return errors.Join(err, a.ln.Close())
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ended := make(chan error, 1)
	go func() {
		err := server.Run(serving, a.ln)
		if err != nil {
			a.backend.Log.ErrorContext(ctx, "admin server failed; this process continues without it", "error", err)
		}
		ended <- err
	}()
	err = w.Run(ctx)
	stop()
	return errors.Join(err, <-ended)
}

func (a *Admin) newServer(ctx context.Context, w Served, profile bool) (*web.Server, error) {
	options, err := a.backend.webOptions(ctx, a.ln.Addr())
	if err != nil {
		return nil, fmt.Errorf("admin server: %w", err)
	}
	options.LoginPage = false // programs alone use it
	options.Ready, options.Profile = w.Ready, profile
	return web.NewAdmin(options)
}
