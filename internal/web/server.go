package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	headerWithin = 10 * time.Second // a client's time to send its header
	idleFor      = 2 * time.Minute  // how long a kept connection may lie idle
	maxHeader    = 64 << 10         // bytes of request header
)

// Server is the whole web face as one http.Handler.
type Server struct {
	handler http.Handler
	log     *slog.Logger
	grace   time.Duration
	close   func() error
}

// New builds the server. It connects to nothing until it is asked something.
// Close it, or Run it, which does.
func New(opts Options) (*Server, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	mux := http.NewServeMux()
	durations := newDurations()
	if err := mount(mux, &opts, durations); err != nil {
		return nil, err
	}
	release := func() error { return nil }
	if opts.Redis != nil {
		m, err := newMonitor(&opts)
		if err != nil {
			return nil, err
		}
		mountMonitor(mux, m)
		release = m.Close
	}
	watch := &observer{log: opts.Log, durations: durations}
	return &Server{
		handler: watch.wrap(secure(recoverPanics(opts.Log, mux))),
		log:     opts.Log,
		grace:   opts.Grace,
		close:   sync.OnceValue(release),
	}, nil
}

// mount registers everything but the monitor, which has to be closed again.
func mount(mux *http.ServeMux, opts *Options, durations *prometheus.HistogramVec) error {
	metrics, err := metricsHandler(opts, durations)
	if err != nil {
		return err
	}
	home, err := newLanding(opts)
	if err != nil {
		return err
	}
	mux.Handle("GET /{$}", home)
	mux.HandleFunc("GET /healthz", alive)
	mux.Handle("GET /readyz", &readiness{log: opts.Log, services: services(opts), within: readyWithin})
	mux.Handle("GET /metrics", metrics)
	return errors.Join(mountAssets(mux), mountAPI(mux, opts))
}

func services(opts *Options) []dependency {
	all := []dependency{{name: "database", ping: opts.Transfers.Ping}}
	if opts.RedisPing != nil {
		all = append(all, dependency{name: "redis", ping: opts.RedisPing})
	}
	return all
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Run serves on ln, which it closes, until ctx is done or ln fails. Then it
// stops in this order: no new connections; requests in hand may finish within
// the grace period; the contexts and connections of those that did not are cut;
// the monitor's connections to Redis are closed. It may be called once.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerWithin,
		IdleTimeout:       idleFor,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return requests },
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		cut()
		return errors.Join(fmt.Errorf("serve http on %s: %w", ln.Addr(), err), srv.Close(), s.Close())
	case <-ctx.Done():
	}
	err := s.drain(requests, srv)
	cut()
	<-served //nolint:errcheck // http.ErrServerClosed, as asked
	return errors.Join(err, s.Close())
}

func (s *Server) drain(ctx context.Context, srv *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, s.grace)
	defer cancel()
	err := srv.Shutdown(ctx)
	if err == nil {
		return nil
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("shut down http: %w", err)
	} else {
		s.log.WarnContext(ctx, "requests outlived the grace period and are cut off", "grace", s.grace)
		err = nil
	}
	return errors.Join(err, srv.Close())
}

// Close closes the monitor's connections. Closing again does nothing and
// reports the same.
func (s *Server) Close() error { return s.close() }
