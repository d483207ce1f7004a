package worker

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/finalize"
	"github.com/balerhq/baler/internal/journal"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/metrics"
	"github.com/balerhq/baler/internal/notify"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/internal/retention"
	"github.com/balerhq/baler/internal/runner"
	"github.com/balerhq/baler/internal/signing"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/tracing"
	"github.com/balerhq/baler/internal/walltime"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// The dispatcher and the aggregator work on a store.
var (
	_ dispatch.Store          = (*store.Store)(nil)
	_ batcher.AggregatorStore = (*store.Store)(nil)
)

// Options has the dependencies and settings of a worker. All fields without a stated
// default are required. A process that only dispatches needs no Record, Group and Final.
type Options struct {
	Store      *store.Store
	Redis      redis.UniversalClient
	Producer   *queue.Producer
	Embedded   bool             // the queue is in the memory of this process
	Checker    *signing.Checker // verifies messages; nil: they have no signatures
	Transfers  *dispatch.TransferCache
	Costs      *cost.Model
	Registry   *handlers.Registry
	Metrics    *metrics.WorkerMetrics
	Registerer *prometheus.Registry
	Tracer     *tracing.Tracer // nil: no traces
	Log        *slog.Logger
	Now        func() time.Time                        // the clock of the database
	SetLevel   func(ctx context.Context, level string) // of the log, as a person has asked; nil: it stays
	HostClock  func() time.Time                        // the clock of this host: time.Now

	Name        string // unique among live workers
	Host        string // on which it runs; see tasks.Limit
	Version     string
	Concurrency int                  // batches at once
	Slots       int                  // of this host, see handlers.SlotUse
	Queues      map[string]int       // weights by name
	Roots       []string             // folders and prefixes in object storage that handlers may read
	Objects     handlers.ObjectStore // nil: no object storage
	MinFree     int64                // bytes that handlers leave free on a disk; 0: the default
	MaxCopy     int64                // size of the largest object that is copied to this host for programs; 0: the default
	Grace       time.Duration        // how long running batches may continue when the worker stops
	PollQueue   time.Duration        // between two polls of an empty queue
	Heartbeat   time.Duration        // between two heartbeats: 5 s

	Group    GroupOptions
	Dispatch DispatchOptions
	Record   RecordOptions
	Final    FinalOptions

	Retention retention.Options // the worker sets LeaseHolder, Log and Now

	Journal journal.Options // the worker sets LeaseHolder, Log and Now

	Notify notify.SenderOptions // the worker sets Version, Metrics, Log, Now and UUID

	// Timeouts and Retry return the settings of a step, with all overrides applied.
	Timeouts func(*recipe.Step, handlers.Registration) handlers.Timeouts
	Retry    func(*recipe.Step, handlers.Registration) tasks.RetryPolicy

	// Commands says whether the programs of a recipe may run; nil: none may.
	Commands func(*recipe.Recipe) handlers.CommandAccess

	// OnCompleted is called once for each transfer that this process completes.
	OnCompleted func(ctx context.Context, transfer int64)
}

// GroupOptions configure how files that were enqueued one by one are collected.
type GroupOptions struct {
	Grace    time.Duration
	MaxDelay time.Duration
	MaxSize  int
}

// DispatchOptions configure the dispatcher. All fields must be set: config has the defaults.
type DispatchOptions struct {
	Window   int
	Interval time.Duration
	Lag      time.Duration
	Resend   time.Duration
}

// RecordOptions configure the recorder. All numbers must be set: config has the defaults.
type RecordOptions struct {
	MaxItems  int
	MaxDelay  time.Duration
	MaxOutput int
	Flushers  int
}

// FinalOptions configure which final steps the worker runs, and where they may write.
type FinalOptions struct {
	Outputs handlers.OutputRoots
	RunKey  string // run key of the transfers; empty for any
	Timeout func(*recipe.FinalStep, handlers.Registration) time.Duration
	Retry   func(*recipe.FinalStep, handlers.Registration) tasks.RetryPolicy
}

// HeartbeatInterval is the default time between two heartbeats.
const HeartbeatInterval = 5 * time.Second

func (o Options) withDefaults() Options {
	if o.HostClock == nil {
		o.HostClock = time.Now
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = HeartbeatInterval
	}
	return o
}

// handlerNames lists the handlers and finalizers of the worker.
func (o Options) handlerNames() []string {
	names := o.Registry.Names()
	for _, name := range o.Registry.FinalizerNames() {
		names = append(names, ledger.FinalizerName(name))
	}
	return names
}

// Dispatcher makes the dispatcher that runs in every worker and server.
func (o Options) Dispatcher() *dispatch.Dispatcher {
	return dispatch.New(o.Store, o.Producer, o.Transfers, o.DispatcherOptions())
}

// DispatcherOptions returns the options of the dispatcher.
func (o Options) DispatcherOptions() dispatch.Options {
	d := dispatch.Options{
		LeaseHolder: o.Name, Window: o.Dispatch.Window, Interval: o.Dispatch.Interval, SweepDelay: o.Dispatch.Lag,
		Resend: o.Dispatch.Resend, SharedQueue: !o.Embedded, Handlers: o.Registry.Names(), Workers: o.liveWorkers(),
		OnCompleted: o.OnCompleted, OnSent: o.Metrics.BatchesSent, Checker: o.Checker, Tracer: o.Tracer, Log: o.Log, Now: o.Now,
	}
	for name := range o.Queues {
		d.Queues = append(d.Queues, name)
	}
	if o.Embedded {
		d.OnElected = o.Store.MakeAllDue // an embedded queue is new and has none of the ledger's batches
	}
	return d
}

func (o Options) liveWorkers() dispatch.Workers {
	view := &capacityView{Options: o}
	return dispatch.Workers{Capacity: view.slots, Limits: view.limits}
}

// Sender makes the sender of webhooks that runs in every worker and server.
func (o Options) Sender() *notify.Sender {
	n := o.Notify
	n.Version, n.Metrics, n.Log, n.Now, n.UUID = o.Version, o.Registerer, o.Log, o.Now, o.Transfers.UUID
	n.Tracer, n.TraceParent = o.Tracer, o.Transfers.TraceParent
	return notify.NewSender(o.Store, n)
}

// Pruner makes the loop that deletes old transfers; it runs in every worker and server.
func (o Options) Pruner() *retention.Pruner {
	r := o.Retention
	r.LeaseHolder, r.Log, r.Now = o.Name, o.Log, o.Now
	return retention.New(o.Store, r)
}

// Journaler makes the loop that writes ended transfers to the journal; it runs in every worker
// and server.
func (o Options) Journaler() *journal.Journal {
	j := o.Journal
	j.LeaseHolder, j.Log, j.Now = o.Name, o.Log, o.Now
	return journal.New(o.Store, j, o.Registerer)
}

func (o Options) recorder() *recorder.Recorder {
	r := recorder.Options{
		MaxItems: o.Record.MaxItems, Flushers: o.Record.Flushers, OnFlush: o.Metrics.ObserveFlush, Log: o.Log,
		UUID: o.Transfers.UUID,
	}
	return recorder.New(o.Store, r)
}

func (o Options) runner(recorder *recorder.Recorder, meter *walltime.Meter, batchEnded func()) (*runner.Runner, error) {
	return runner.New(runner.Options{
		Store: o.Store, Queue: o.Producer, Transfers: o.Transfers, Registry: o.Registry, Recorder: recorder,
		Worker: o.Name, Slots: o.Slots, Concurrency: o.Concurrency, MaxOutput: o.Record.MaxOutput, MaxCopy: o.MaxCopy, MinFree: o.MinFree,
		Roots: o.Roots, Objects: o.Objects, Outputs: o.Final.Outputs, FlushAfter: o.Record.MaxDelay,
		Timeouts: o.Timeouts, Retry: o.Retry, CanRun: (&liveWorkers{Options: o}).canRun, Commands: o.Commands,
		BatchEnded: batchEnded, OnCompleted: o.OnCompleted, Checker: o.Checker, Queues: slices.Sorted(maps.Keys(o.Queues)),
		Metrics: o.Metrics, Meter: meter, Tracer: o.Tracer, Log: o.Log, Now: o.Now,
	})
}

func (o Options) finalizers() *finalize.Executor {
	return finalize.New(finalize.Options{
		Steps: o.Store, Lines: o.Store, Written: o.Store, Transfers: o.Store, Plans: o.Transfers, Registry: o.Registry,
		Roots: o.Roots, Objects: o.Objects, Outputs: o.Final.Outputs, Version: o.Version, RunKey: o.Final.RunKey,
		Timeout: o.Final.Timeout, Retry: o.Final.Retry, OnCompleted: o.OnCompleted, Tracer: o.Tracer, Log: o.Log, Now: o.Now,
	})
}

// aggregator makes batches of groups; it stops waiting for the database when ctx ends.
func (o Options) aggregator(ctx context.Context) *batcher.Aggregator {
	return batcher.NewAggregator(ctx, batcher.AggregatorOptions{
		Store: o.Store, Queue: o.Producer, Log: o.Log,
		Transfers: dispatch.GroupPlanner{Store: o.Store, Transfers: o.Transfers, Workers: o.liveWorkers()},
	})
}

// collector makes batches of groups with a resolution of a millisecond.
func (o Options) collector(a *batcher.Aggregator) *batcher.Collector {
	c := &batcher.Collector{CollectorOptions: batcher.CollectorOptions{
		Aggregator: a, Groups: o.Producer, Queues: slices.Sorted(maps.Keys(o.Queues)),
		MaxDelay: o.Group.MaxDelay, MaxSize: o.Group.MaxSize,
	}}
	if o.Checker != nil {
		c.Accept = o.Checker.Accept
	}
	return c
}

// aheadInterval is how often a worker that already has its number of batches looks for
// promoted ones.
const aheadInterval = 100 * time.Millisecond

// ahead is how many promoted batches a worker takes beyond its number of batches: one for
// each slot, when its batches may wait for slots.
func (o Options) ahead() int {
	if o.Concurrency <= o.Slots {
		return 0 // a batch that the worker takes gets a slot at once
	}
	return min(o.Slots, queue.MaxAhead)
}

// serverClient makes the client and the handler of one asynq server.
func (o Options) serverClient(r *runner.Runner) *queue.ServerClient {
	return queue.NewServerClient(o.Redis, queue.ServerClientOptions{
		Queues: slices.Sorted(maps.Keys(o.Queues)), Most: o.Concurrency, Poll: max(o.PollQueue, aheadInterval), Handling: r,
	})
}

// groupAggregator is what asynq is given for its groups. The client takes care that asynq never
// calls it. Where messages are signed it does nothing, because it does not learn whose they are.
func (o Options) groupAggregator(a *batcher.Aggregator) asynq.GroupAggregator {
	if o.Checker == nil {
		return a
	}
	return asynq.GroupAggregatorFunc(func(string, []*asynq.Task) *asynq.Task { return nil })
}

// server makes an asynq server; one can be started once.
func (o Options) server(in *queue.ServerClient, a *batcher.Aggregator) *asynq.Server {
	return asynq.NewServerFromRedisClient(in, asynq.Config{
		Concurrency: o.Concurrency + o.ahead(),
		Queues:      o.Queues,

		// Only a lost lease counts as a retry, because an error of the runner never
		// means that the batch has failed.
		IsFailure:      func(err error) bool { return errors.Is(err, asynq.ErrLeaseExpired) },
		RetryDelayFunc: retryDelay,

		TaskCheckInterval:        o.PollQueue,
		DelayedTaskCheckInterval: 250 * time.Millisecond, // for batches that a busy worker returned
		ShutdownTimeout:          o.Grace + StopTime,

		GroupAggregator:  o.groupAggregator(a), // so that asynq looks at its groups: the client records those that it finds
		GroupGracePeriod: o.Group.Grace,

		Logger: queue.NewLogger(o.Log), LogLevel: asynq.WarnLevel,
	})
}
