package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/outage"
)

// Clients may hold a connection only for a short time, because connections are limited.
// All answers are short.
const (
	headerTimeout  = 10 * time.Second // to receive the header of a request
	requestTimeout = 30 * time.Second // to receive all of it
	answerTimeout  = time.Minute      // to answer, from the end of the header until the client has read it
	idleTimeout    = 30 * time.Second // of a kept-alive connection
	maxHeader      = 64 << 10         // bytes of request header
)

// Paths of the routes for monitoring.
const (
	healthPath  = "/healthz"
	readyPath   = "/readyz"
	metricsPath = "/metrics"
)

// Server is an http.Handler: the API, the dashboard, the metrics and the monitor, or
// the admin pages of a worker.
type Server struct {
	handler http.Handler
	log     *slog.Logger
	grace   time.Duration
	close   func() error
	stop    func() // ends the requests of clients that watch a transfer
	routes  *router

	certificate *Certificate
	connections int // clients connected at a time
}

// New makes a server of everything. It opens no connection before the first request.
// Call Close in the end, or Run, which calls it.
func New(opts Options) (*Server, error) {
	return newServer(opts, func(mux *http.ServeMux, opts *Options) (io.Closer, error) {
		if err := mountPages(mux, opts); err != nil || opts.Redis == nil {
			return nil, err
		}
		monitor, err := newMonitor(opts)
		if err != nil {
			return nil, err
		}
		mountMonitor(mux, monitor)
		return monitor, nil
	})
}

// newServer makes a server with the probes and the routes that mount adds. Close also
// closes the closer that mount returns.
func newServer(opts Options, mount func(*http.ServeMux, *Options) (io.Closer, error)) (s *Server, err error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	opts.MaxConnections = cmp.Or(opts.MaxConnections, connectionLimit())
	if opts.notices, err = newPage(&opts, "notice.html", ""); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	routes := &router{mux: mux}
	stopping := make(chan struct{})
	opts.stopping = stopping
	durations := newDurations()
	if err := mountProbes(mux, &opts, durations); err != nil {
		return nil, err
	}
	opts.routes, opts.background = routes, &background{stopping: stopping}
	mounted, err := mount(mux, &opts)
	if err != nil {
		return nil, err
	}
	stop := sync.OnceFunc(func() { close(stopping) })
	release := func() error {
		stop()
		opts.background.wait()
		if mounted == nil {
			return nil
		}
		return mounted.Close()
	}
	logged := &accessLog{log: opts.Log, durations: durations}
	read := readApart(opts.Reading, readReplica(opts.Replica, findShortIDs(&opts, answerMissingPages(&opts, mux))))
	guarded := checkHost(opts.Hosts, newGuard(&opts, routes).wrap(read))
	answer, err := compressed(secure(recoverPanics(opts.Log, guarded)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("compress answers: %w", err), release())
	}
	return &Server{
		handler: traced(opts.Tracer, logged.wrap(answer)),
		log:     opts.Log,
		grace:   opts.Grace,
		routes:  routes,
		close:   sync.OnceValue(release),
		stop:    stop,

		certificate: opts.Certificate,
		connections: opts.MaxConnections,
	}, nil
}

// mountAPI registers the API and its documentation.
func mountAPI(mux *http.ServeMux, opts *Options) error {
	operations := http.NewServeMux()
	opts.routes.operations = operations
	described, err := api.Mount(operations, api.Options{
		Transfers: opts.Transfers, Submitter: opts.Submitter, Results: opts.Results, Control: opts.Control, Fleet: opts.Fleet,
		Audit: opts.Audit, Scheduler: opts.Scheduler,
		Log: opts.Log, Now: opts.Now, Version: opts.Version, Title: opts.Title, Stopping: opts.stopping,
	})
	if err != nil {
		return err
	}
	docs, err := newDocsPage(described, opts)
	if err != nil {
		return err
	}
	mux.Handle("GET "+api.Root+"/docs", docs)
	mux.Handle(api.Root+"/", api.Limit(opts.RequestsPerSecond, api.LimitStreams(opts.MaxConnections/streamShare, operations)))
	return nil
}

// mountProbes registers the routes for monitoring, which every process serves.
func mountProbes(mux *http.ServeMux, opts *Options, durations *prometheus.HistogramVec) error {
	metrics, err := metricsHandler(opts, durations)
	if err != nil {
		return err
	}
	mux.HandleFunc("GET "+healthPath, alive)
	mux.Handle("GET "+readyPath, &readiness{dependencies: dependencies(opts), own: opts.Ready, timeout: readyTimeout})
	mux.Handle("GET "+metricsPath, metrics)
	return nil
}

func dependencies(opts *Options) []dependency {
	const doing = "answer " + readyPath
	all := []dependency{{"database", opts.Transfers.Ping, outage.New(opts.Log, outage.Database, doing)}}
	if opts.RedisPing != nil {
		all = append(all, dependency{"redis", opts.RedisPing, outage.New(opts.Log, outage.Redis, doing)})
	}
	return all
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Run serves on ln, with HTTPS if there is a certificate, until ctx is done or ln fails. It closes ln. Clients that send
// or read slowly are disconnected; beyond MaxConnections they wait. In the end it
// stops in this order: no new connections; requests in progress may finish within
// the grace period; the contexts of the others are canceled and they are closed;
// the monitor's connections to Redis are closed. It may be called once.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return requests },
	}
	ln = limitConnections(ln, s.connections, s.log)
	served := make(chan error, 1)
	go func() {
		if s.certificate == nil {
			served <- srv.Serve(ln)
			return
		}
		srv.TLSConfig = s.certificate.config()
		served <- srv.ServeTLS(ln, "", "")
	}()
	select {
	case err := <-served:
		cancel()
		return errors.Join(fmt.Errorf("serve http on %s: %w", ln.Addr(), err), srv.Close(), s.Close())
	case <-ctx.Done():
	}
	s.stop()
	err := s.drain(requests, srv)
	cancel()
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
		s.log.WarnContext(ctx, "canceling requests that outlast the grace period", "grace", s.grace)
		err = nil
	}
	return errors.Join(err, srv.Close())
}

// Close waits for the end of what runs in the background, and closes the monitor's connections. A second call does nothing and returns
// the same error.
func (s *Server) Close() error { return s.close() }
