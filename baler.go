// Package baler registers files, runs handlers over batches of them, and records one
// result per file and step.
//
// It is the Go API, and connects the parts of the system: Open connects to the database
// and the queue, Submit registers files, Work runs batches, Serve answers HTTP, and Run
// does all of it in one process. For a program with the whole command line and handlers
// of its own, see cli.Main.
//
// Every file that Submit has counted gets exactly one final result for each step that
// selects it, whichever process dies meanwhile. A handler may run more than once for a
// file; its result is recorded once.
package baler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin/load"
	"github.com/balerhq/baler/internal/control"
	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/egress"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/loading"
	"github.com/balerhq/baler/internal/loglevel"
	"github.com/balerhq/baler/internal/metrics"
	"github.com/balerhq/baler/internal/notify"
	"github.com/balerhq/baler/internal/openfiles"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/stopwatch"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/tasks"
)

// Options has what a program passes to Open besides the configuration. The zero value
// is ready for use.
type Options struct {
	Registry *handlers.Registry // nil: only load, which Open adds to every registry
	Log      *slog.Logger       // nil: discards
	Version  string             // shown by workers and the API; "" is "dev"
	Now      func() time.Time   // nil: the database's time

	// HostClock is the clock of this host, which may be wrong; nil: time.Now. Only tests
	// set it.
	HostClock func() time.Time

	// HeartbeatInterval is how often a worker reports to the database, and reads
	// changes there; 0: 5 s. With more than 10 s, workers pause between heartbeats
	// when a limit on files per second applies.
	HeartbeatInterval time.Duration
}

// Baler is a connection to one system: its database and its queue. Make one
// with Open. It is safe for concurrent use.
type Baler struct {
	cfg       config.Config
	registry  *handlers.Registry
	log       *slog.Logger
	version   string
	heartbeat time.Duration    // between a worker's heartbeats
	now       func() time.Time // the database's time, once the database is open
	hostClock func() time.Time
	reach     egress.Policy // addresses that webhooks may be sent to
	messages  notify.Templates

	concurrency int // batches at once that the limit of open files allows
	level       *loglevel.Switch
	askedLevel  atomic.Pointer[string] // that a person has set for this worker, as its heartbeat read it last
	watch       stopwatch.Stopwatch

	store         *store.Store
	queue         *queue.Conn
	transfers     *dispatch.TransferCache
	control       *control.Controller
	costs         *cost.Model
	metrics       *prometheus.Registry
	certificates  *metrics.Certificates
	tracer        *tracing.Tracer
	ingester      *ingest.Ingester
	loads         *loading.Preparer
	objects       *storage.Buckets
	workerMetrics *metrics.WorkerMetrics
}

// Open connects to the database and the queue that cfg names, and migrates the
// database unless cfg forbids it. An error names the one that failed, its address,
// and what to do.
func Open(ctx context.Context, cfg config.Config, o Options) (*Baler, error) {
	b, err := OpenProducer(ctx, cfg, o)
	if err != nil {
		return nil, err
	}
	if err := b.PingQueue(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// OpenProducer is Open for programs that only submit: it succeeds while the queue is
// unavailable. Files that are submitted by bulk need only the database; workers process
// them once the queue is back.
func OpenProducer(ctx context.Context, cfg config.Config, o Options) (*Baler, error) {
	// Checked first: without a free file descriptor, connecting fails with a misleading error.
	concurrency, err := worker.FitOpenFiles(openfiles.Limit(), cfg.Worker.Concurrency, cfg.Database.MaxConnections)
	if err != nil {
		return nil, err
	}
	b, err := OpenStore(ctx, cfg, o)
	if err != nil {
		return nil, err
	}
	b.concurrency = concurrency
	if b.queue, err = queue.Connect(cfg.Redis, b.log); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	if !b.queue.Embedded() {
		if err := b.watchCertificate("redis", cfg.Redis.TLS); err != nil {
			return nil, errors.Join(err, b.Close())
		}
	}
	b.control = b.newController()
	b.ingester = ingest.New(ingest.Options{
		Store: b.store, Producer: b.queue.Producer, Transfers: b.transfers, Log: b.log,
		GroupLimit: cfg.Group.Limit, GroupDelay: cfg.Group.MaxDelay, StateDir: cfg.StateDir, Objects: b.objects,
		Webhooks: cfg.Webhook.URLs, Events: cfg.Webhook.Events, Reach: b.reach, OnCreate: b.watch.Start, Tracer: b.tracer,
	})
	b.loads = loading.New(loading.Options{
		Store: b.store, Transfers: b.transfers, Ingester: b.ingester, Objects: b.objects, Log: b.log,
	})
	return b, nil
}

func (b *Baler) newController() *control.Controller {
	return control.New(control.Options{
		Store: b.store, Queue: b.queue, Redis: b.cfg.Redis, Transfers: b.transfers, Costs: b.costs, Log: b.log, Name: b.cfg.Worker.Name,
		Handlers: b.registry.Names(), Queues: slices.Sorted(maps.Keys(b.cfg.Worker.Queues)),
		LimitNames: b.limitNames(),
	})
}

// limitNames lists the names of limits that the settings and the handlers of this process use.
func (b *Baler) limitNames() (names []string) {
	for _, l := range b.cfg.NamedLimits() {
		names = append(names, l.Name)
	}
	for _, handler := range b.registry.Names() {
		if r, ok := b.registry.Lookup(handler); ok {
			names = append(names, r.Limits...)
		}
	}
	return names
}

// Now returns the present time of the database, by which rows have their times, whatever the
// clock of this host says.
func (b *Baler) Now() time.Time {
	if b.store == nil {
		return time.Now()
	}
	return b.store.Now()
}

// PingQueue returns an error when the queue does not answer within five seconds.
func (b *Baler) PingQueue(ctx context.Context) error { return b.queue.Ping(ctx) }

// OpenStore connects to the database only, for programs that only read results. Do not
// call methods that submit, run, work, serve or read the queue.
func OpenStore(ctx context.Context, cfg config.Config, o Options) (*Baler, error) {
	b := newBaler(cfg, o)
	var err error
	b.tracer, err = tracing.New(ctx, tracing.Options{
		Endpoint: cfg.Trace.Endpoint, Version: b.version, Instance: cfg.Worker.Name, Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	if b.tracer.IsOn() {
		b.log = outage.Share(b.tracer.Log(b.level.Log))
	}
	if b.cfg.Roots, err = addRoots(b.objects, "roots", cfg.Roots); err != nil {
		return nil, err
	}
	if b.cfg.Outputs, err = addRoots(b.objects, "outputs", cfg.Outputs); err != nil {
		return nil, err
	}
	if b.reach, err = egress.New(cfg.Webhook.Networks); err != nil {
		return nil, fmt.Errorf("webhook.networks: %w", err)
	}
	if b.messages, err = notify.NewTemplates(cfg.Webhook.Subject, cfg.Webhook.Text); err != nil {
		return nil, err
	}
	if err := b.openStore(ctx); err != nil {
		return nil, err
	}
	if err := b.prepare(ctx); err != nil {
		return nil, errors.Join(err, b.store.Close())
	}
	b.transfers = dispatch.NewTransferCache(b.store.TransferByID, b.policy)
	b.transfers.Costs = b.costs
	b.control = b.newController()
	return b, nil
}

// openStore connects to the database without reading from it.
func (b *Baler) openStore(ctx context.Context) (err error) {
	secure, err := b.cfg.Database.TLS.Load()
	if err != nil {
		return fmt.Errorf("database.%w", err)
	}
	b.store, err = store.Open(ctx, b.cfg.Database.URL, store.Options{
		MaxConnections: b.cfg.Database.MaxConnections, Now: b.now, HostClock: b.hostClock, Log: b.log, TLS: secure,
	})
	if err != nil {
		return err
	}
	b.now, b.watch.Now = b.store.Now, b.store.Now
	if err := b.watchCertificate("database", b.cfg.Database.TLS); err != nil {
		return errors.Join(err, b.store.Close())
	}
	pool, err := b.store.DB().Pool()
	if err != nil {
		return errors.Join(err, b.store.Close())
	}
	b.metrics.MustRegister(collectors.NewDBStatsCollector(pool, "baler"))
	if _, taken := b.registry.Lookup(load.Name); taken {
		return nil
	}
	return load.Register(b.registry, b.tables(), b.workerMetrics.LinesLoaded)
}

// watchCertificate makes the end of a client's certificate a metric. Connections have the one that
// was read when the process started, until it ends.
func (b *Baler) watchCertificate(service string, files config.TLS) error {
	end, err := files.End()
	if err != nil {
		return fmt.Errorf("%s.%w", service, err)
	}
	if !end.IsZero() {
		b.certificates.Watch(service+".tls.cert", func() time.Time { return end })
	}
	return nil
}

func newBaler(cfg config.Config, o Options) *Baler {
	b := &Baler{
		cfg: cfg, registry: o.Registry.Clone(), log: o.Log, version: o.Version, now: o.Now, hostClock: o.HostClock,
		heartbeat: o.HeartbeatInterval, objects: storage.New(),
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.level = loglevel.New(b.log)
	b.log = outage.Share(b.level.Log)
	if b.version == "" {
		b.version = "dev"
	}
	b.watch.Now = time.Now // until the database is open
	b.metrics = prometheus.NewRegistry()
	b.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	b.metrics.MustRegister(metrics.Build(b.version))
	b.certificates = &metrics.Certificates{}
	b.metrics.MustRegister(b.certificates)
	b.workerMetrics = metrics.New(b.metrics)
	b.costs = cost.NewModel(cfg.Worker.Name, func() time.Time { return b.now() })
	b.metrics.MustRegister(worker.CostMetrics{Model: b.costs})
	return b
}

// prepare makes sure that the database has the tables this program needs.
func (b *Baler) prepare(ctx context.Context) error {
	pending, err := b.store.Pending(ctx)
	if err != nil || len(pending) == 0 {
		return err
	}
	if auto := b.cfg.Database.AutoMigrate; auto != nil && !*auto {
		return fmt.Errorf("%w: %s lacks %d migrations; run `baler migrate`", db.ErrNotMigrated, b.store.Describe(), len(pending))
	}
	applied, err := b.store.Migrate(ctx)
	if err != nil {
		return err
	}
	if len(applied) > 0 {
		b.log.InfoContext(ctx, "database migrated", "database", b.store.Describe(), "migrations", applied)
	}
	return nil
}

// Close sends the traces that are left, for at most some seconds, and closes the connections to
// the database and the queue. Closing twice is fine.
func (b *Baler) Close() error {
	b.tracer.Close()
	var queueErr error
	if b.queue != nil {
		queueErr = b.queue.Close()
	}
	if b.store == nil {
		return errors.Join(queueErr, b.objects.Close())
	}
	return errors.Join(queueErr, b.store.Close(), b.objects.Close())
}

// addRoots returns the roots without the parameters of addresses in object storage, which
// objects then has.
func addRoots(objects *storage.Buckets, setting string, roots []string) ([]string, error) {
	paths := slices.Clone(roots)
	for i, root := range roots {
		if !tasks.IsObject(root) {
			continue
		}
		var err error
		if paths[i], err = objects.Add(root); err != nil {
			return nil, fmt.Errorf("%s: number %d: %w", setting, i+1, err)
		}
	}
	return paths, nil
}

// Describe returns the addresses of the database and of Redis, without passwords.
func (b *Baler) Describe() (database, redis string) {
	if b.queue == nil {
		return b.store.Describe(), ""
	}
	return b.store.Describe(), b.queue.Address
}

// NewLogger makes a logger with the level and format of the settings.
func NewLogger(w io.Writer, cfg config.LogSettings) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		level = slog.LevelInfo // config has checked it
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
