package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/internal/watch"
	"github.com/balerhq/baler/tasks"
)

// Options configure a Server. Only Transfers is required.
type Options struct {
	Transfers TransferStore

	Tracer *tracing.Tracer // nil: no traces

	stopping <-chan struct{} // closed when the server stops

	Certificate *Certificate // nil: HTTP without TLS

	// Services of the API besides reading transfers. The API lacks the operations of a
	// service that is nil.
	Submitter api.Submitter
	Results   api.Results
	Control   api.Control
	Fleet     api.Fleet
	Scheduler api.Scheduler

	// Watches lists the watched folders; nil: the page of the schedules does not show them.
	Watches func(context.Context) ([]watch.FolderActivity, error)

	// What the pages show beside what the API offers; pages of one that is nil do not exist.
	History History
	Files   Files
	Formats FormatReader
	Outputs OutputFiles

	Thumbnails Thumbnails

	// Reading returns a context for requests that change nothing: what is read under it neither waits
	// for those who write nor delays them. nil: they read as those that change something.
	Reading func(ctx context.Context) context.Context

	// Replica is where pages read while it is of use; nil: there is none.
	Replica Replica
	Fixity  TransferComparer
	System  System
	Starter Starter
	Letters Letters

	// RequestsPerSecond is how many requests of the API one address may make; 0: any number.
	RequestsPerSecond int

	// RedisPing reports whether Redis answers; nil means that /readyz does not check Redis.
	RedisPing func(ctx context.Context) error

	// Queues lists what the queues hold; nil means no metrics of queues.
	Queues func(ctx context.Context) ([]queue.Stats, error)

	// Workers lists the live workers; nil means no metric of them.
	Workers func(ctx context.Context) ([]tasks.Worker, error)

	// Ready reports why this process is not ready, apart from its database and Redis;
	// nil means that nothing else is needed. Its error is shown to every client.
	Ready func() error

	// Profile serves profiles of the process at /debug/pprof/ of an admin server.
	Profile bool

	// Redis is the queue that the monitor shows; nil means no monitor.
	Redis asynq.RedisConnOpt

	// WritableMonitor lets the monitor change the queue.
	WritableMonitor bool

	// Token is what requests must carry, except for probes of health; empty: nothing. It is
	// for servers without a Gate.
	Token string

	// Gate says who has sent a request; nil: nobody is asked, unless there is a Token.
	Gate *accounts.Gate

	// LoginPage lets people log in, with the Gate.
	LoginPage bool

	// Accounts finds the first account: there is no LoginPage before. nil: there are accounts.
	Accounts *accounts.Presence

	// Open says that nobody is asked until Accounts has found the first account.
	Open bool

	// OpenID is a provider at which people log in; nil: none. It needs the LoginPage.
	OpenID OpenID

	// Unasked is the role of everybody while nobody is asked; Nobody: that of an operator.
	Unasked accounts.Role

	// Audit is the log of who changed what; nil: there is none.
	Audit AuditStore

	// URL is the address by which people reach the server, such as
	// "https://baler.example.org"; empty: by its own.
	URL string

	// Hosts are the names that requests may call the server by, without ports.
	// Loopback's names and all IP addresses need not be named.
	Hosts []string

	// Metrics is served at /metrics together with the server's own metrics. It must
	// not contain names that start with baler_http_, baler_store_,
	// baler_queue_, baler_redis_ or baler_transfers, nor baler_workers or the baler_backlog_files gauges.
	Metrics prometheus.Gatherer

	// MaxConnections limits the clients that are connected at a time; 0: a quarter of
	// the files that the process may open, at most 2,560.
	MaxConnections int

	Log     *slog.Logger     // nil discards
	Now     func() time.Time // nil is time.Now
	Grace   time.Duration    // how long requests may continue after Run's context ends; 0 is 10 s
	Version string           // as the API's description shows it
	Title   string           // "" is "Baler"

	notices page    // says why there is no other page
	routes  *router // of this server

	background *background // what this server does while no request waits for it
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Grace == 0 {
		o.Grace = 10 * time.Second
	}
	if o.Gate == nil && o.Token != "" {
		o.Gate = accounts.NewGate(accounts.GateOptions{Static: o.Token, Now: o.Now, Log: o.Log})
	}
	if o.Unasked == accounts.Nobody {
		o.Unasked = accounts.Operator
	}
	if o.Title == "" {
		o.Title = "Baler"
	}
	return o
}

// loginPage reports whether people can log in.
func (o *Options) loginPage(ctx context.Context) bool {
	return o.Gate != nil && o.LoginPage && (o.Accounts == nil || o.Accounts.Any(ctx))
}

// asks reports whether the server asks who sends a request.
func (o *Options) asks(ctx context.Context) bool {
	return o.Gate != nil && (!o.Open || o.Accounts == nil || o.Accounts.Any(ctx))
}

func (o *Options) validate() error {
	var errs []error
	if o.Transfers == nil {
		errs = append(errs, errors.New("option Transfers is missing"))
	}
	if o.Grace < 0 {
		errs = append(errs, fmt.Errorf("option Grace is negative: %s", o.Grace))
	}
	if o.MaxConnections < 0 {
		errs = append(errs, fmt.Errorf("option MaxConnections is negative: %d", o.MaxConnections))
	}
	if len(errs) > 0 {
		return fmt.Errorf("web options: %w", errors.Join(errs...))
	}
	return nil
}
