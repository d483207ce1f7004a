package server

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/web"
)

// ServePages shows the pages of transfers on ln until ctx ends, beside a Run in the same
// process: people look, pause, cancel and retry, and submit nothing. Nobody is asked for a
// login, whatever http.ask_login and http.token say of Serve. It closes ln, which must be a
// loopback address.
func (b *Backend) ServePages(ctx context.Context, ln net.Listener) error {
	if !config.Loopback(ln.Addr()) {
		return errors.Join(fmt.Errorf("show pages: other hosts can connect to %s; use a loopback address", ln.Addr()), ln.Close())
	}
	var options web.Options
	b.describe(&options)
	b.ownRun = true
	options.Results, options.Control, options.Fleet, options.Audit = b, b, b, b.Store
	b.show(&options)
	server, err := web.New(options)
	if err != nil {
		return errors.Join(fmt.Errorf("show pages: %w", err), ln.Close())
	}
	return server.Run(ctx, ln)
}
