package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
)

func (p *program) serveCommand() *cobra.Command {
	var work bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API, dashboard and queue monitor",
		Long: `Serve runs the HTTP server until it is stopped, and prints its URL. It also takes
part in dispatching batches. With --worker it processes batches as well.

An address that other hosts can connect to needs accounts: see "baler user" and
"baler token". A token in BALER_HTTP_TOKEN may do everything; without accounts,
browsers ask for it as the password, and the user name does not matter. With a
certificate (http.tls.cert and http.tls.key) it serves HTTPS.`,
		Example: `  baler serve
  baler serve --worker
  BALER_HTTP_TOKEN=$(openssl rand -hex 32) baler serve --listen :8080`,
		Args:        cobra.NoArgs,
		Annotations: map[string]string{service: "true"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, baler.Open, func(ctx context.Context, b *baler.Baler, cfg config.Config) error {
				if err := canWork(b, work); err != nil { // before it says that it serves
					return err
				}
				var lc net.ListenConfig
				ln, err := lc.Listen(ctx, "tcp", cfg.HTTP.Listen)
				if err != nil {
					return fmt.Errorf("%w (set --listen to a free address)", err)
				}
				if err := b.CheckAccess(ctx, ln.Addr()); err != nil {
					return errors.Join(err, ln.Close()) // before it says that it serves
				}
				if err := p.serving(ln.Addr(), cfg.HTTP.TLS.Cert != ""); err != nil {
					return err
				}
				return b.Serve(ctx, ln, work)
			})
		},
	}
	flags := cmd.Flags()
	flags.String("listen", "", "`ADDRESS` to listen on (default: 127.0.0.1:8080)")
	bind(flags, "listen", "http.listen")
	flags.Bool("insecure", false, "let other hosts connect without accounts and token: they can read everything, and change nothing")
	bind(flags, "insecure", "http.insecure")
	flags.BoolVar(&work, "worker", false, "process batches as well")
	workFlags(cmd)
	return cmd
}

func canWork(b *baler.Baler, work bool) error {
	if !work {
		return nil
	}
	return b.CheckRoots()
}

// server is the JSON object that serve reports when it listens.
type server struct {
	Type string `json:"type"` // always "server"
	URL  string `json:"url"`
}

func (p *program) serving(at net.Addr, https bool) error {
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost" // every interface; this one can be clicked
	}
	url := "http://" + net.JoinHostPort(host, port)
	if https {
		url = "https://" + net.JoinHostPort(host, port)
	}
	if p.json {
		return p.object(server{"server", url})
	}
	p.printf("%s", url)
	return nil
}
