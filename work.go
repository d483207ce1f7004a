package baler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/journal"
	"github.com/balerhq/baler/internal/openfiles"
	"github.com/balerhq/baler/internal/retention"
	"github.com/balerhq/baler/internal/signing"
	"github.com/balerhq/baler/internal/worker"
	"github.com/balerhq/baler/internal/writable"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Work runs batches until ctx ends. Then it takes no new batches, gives running ones the
// grace period to finish, commits finished results, returns the rest to the queue without
// counting an attempt, and returns nil. While it runs, it serves metrics and health at
// worker.admin_listen. On a shared queue or database it returns ErrNoRoots when no roots
// are set.
func (b *Baler) Work(ctx context.Context) error {
	if err := b.CheckRoots(); err != nil {
		return err
	}
	final, err := b.workerFinal()
	if err != nil {
		return err
	}
	for _, problem := range writable.Folders(b.cfg.Outputs) {
		b.log.WarnContext(ctx, "worker: nothing can be written in a folder of BALER_OUTPUTS; steps that write there end as errors until it can",
			"problem", problem)
	}
	stop := b.backend().StartSchedules(ctx)
	defer stop()
	if b.cfg.Worker.AdminListen == config.AdminOff {
		return b.work(ctx, final, nil)
	}
	admin, err := b.backend().OpenAdmin(ctx, b.cfg.Worker.AdminListen)
	if err != nil {
		return err
	}
	w, err := b.newWorker(ctx, final, nil)
	if err != nil {
		return errors.Join(err, admin.Close())
	}
	return admin.ServeWhile(ctx, w, b.cfg.Worker.Profile)
}

// work runs a worker without an admin server. own is the recipe of the person for whom it
// works, if any.
func (b *Baler) work(ctx context.Context, final worker.FinalOptions, own *recipe.Recipe) error {
	w, err := b.newWorker(ctx, final, own)
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

// whileWorking runs a worker while do runs, and then stops the worker. When the worker
// ends first, for example because it cannot start, it cancels the context of do, because
// nothing would finish the work that do waits for.
func (b *Baler) whileWorking(
	ctx context.Context, final worker.FinalOptions, own *recipe.Recipe, do func(ctx context.Context) error,
) error {
	working, stopWork := context.WithCancel(ctx)
	doing, stopDoing := context.WithCancel(ctx)
	defer stopDoing()
	worked := make(chan error, 1)
	go func() {
		err := b.work(working, final, own)
		stopDoing()
		worked <- err
	}()
	err := do(doing)
	endedByWorker := errors.Is(err, context.Canceled) && ctx.Err() == nil
	stopWork()
	workErr := <-worked
	if endedByWorker && workErr != nil {
		return workErr // err says only that the worker ended; workErr says why
	}
	return toldOnce(err, workErr)
}

// toldOnce joins the errors of a run and of its worker. An outage of the database, such as a
// full disk, meets both, and is reported once.
func toldOnce(err, workErr error) error {
	if db.IsOutage(err) && db.IsOutage(workErr) && !strings.Contains(workErr.Error(), "\n") { // several errors may have other causes, too
		return err
	}
	return errors.Join(err, workErr)
}

func (b *Baler) newWorker(ctx context.Context, final worker.FinalOptions, own *recipe.Recipe) (*worker.Instance, error) {
	if wanted := b.cfg.Worker.Concurrency; b.concurrency < wanted {
		b.log.WarnContext(ctx, "fewer batches at once: the system allows too few open files; raise the limit, as with ulimit -n",
			"concurrency", b.concurrency, "wanted", wanted, "allowed", openfiles.Limit(),
			"needed", worker.OpenFilesNeeded(wanted, b.cfg.Database.MaxConnections))
	}
	if !b.cfg.Redis.AllowEviction {
		if err := b.queue.CheckEviction(ctx); err != nil {
			return nil, fmt.Errorf("start worker: %w", err)
		}
	}
	if err := b.configureLimits(ctx); err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	o := b.workerOptions()
	o.Final, o.Commands = final, worker.CommandAccess(own, b.cfg.Worker.Recipes, b.cfg.Worker.AllowCommands)
	return worker.New(o) //nolint:contextcheck // what it makes ends in order when Run stops, not with ctx
}

// configureLimits sets the limits of the configuration that have changed in it.
func (b *Baler) configureLimits(ctx context.Context) error {
	limits := b.cfg.NamedLimits()
	if len(limits) == 0 {
		return nil
	}
	changed, err := b.store.ConfigureLimits(ctx, limits)
	for i := range changed {
		b.log.InfoContext(ctx, "the configuration sets a limit",
			"scope", changed[i].Scope, "name", changed[i].Name, "limit", changed[i].Bounds())
	}
	return err
}

// workerOptions returns the options that workers, servers and Reconcile share.
func (b *Baler) workerOptions() worker.Options {
	cfg := &b.cfg
	if b.queue.Producer.Keys != nil {
		b.workerMetrics.CountRefusals(signing.Reasons())
	}
	return worker.Options{
		Store: b.store, Redis: b.queue.Client, Producer: b.queue.Producer, Embedded: b.queue.Embedded(),
		Transfers: b.transfers, Costs: b.costs, Registry: b.registry, Metrics: b.workerMetrics, Registerer: b.metrics,
		Tracer: b.tracer, SetLevel: b.setLevel, Log: b.log, Now: b.now, HostClock: b.hostClock,
		Checker: signing.NewChecker(b.queue.Producer.Keys, b.workerMetrics.MessageRefused, b.log),

		Name: cfg.Worker.Name, Host: cfg.Worker.Host, Version: b.version, Concurrency: b.concurrency, Slots: cfg.Worker.Slots,
		Queues: cfg.Worker.Queues, Roots: worker.ReadableRoots(b.cfg.Roots), Objects: b.objects, MaxCopy: int64(cfg.Worker.MaxCopy),
		MinFree:   int64(cfg.Worker.MinFree),
		Grace:     cfg.Worker.Grace,
		PollQueue: cfg.Worker.Interval, Heartbeat: b.heartbeat,

		Group: worker.GroupOptions{Grace: cfg.Group.Grace, MaxDelay: cfg.Group.MaxDelay, MaxSize: cfg.Group.MaxSize},
		Dispatch: worker.DispatchOptions{
			Window: cfg.Dispatch.Window, Interval: cfg.Dispatch.Interval, Lag: cfg.Dispatch.Lag, Resend: cfg.Dispatch.Resend,
		},
		Record: worker.RecordOptions{
			MaxItems: cfg.Record.MaxItems, MaxDelay: cfg.Record.MaxDelay, MaxOutput: int(cfg.Record.MaxOutput),
			Flushers: cfg.Record.Flushers,
		},
		Retention: retention.Options{
			OlderThan: cfg.Retention.OlderThan, KeepLast: cfg.Retention.KeepLast, FailedToo: cfg.Retention.FailedToo,
			AuditKeep: cfg.Audit.Keep, Journaled: cfg.Journal.Dir != "",
		},
		Journal: journal.Options{
			Dir: cfg.Journal.Dir, MaxSize: int64(cfg.Journal.MaxSize), Compression: journal.Packing(cfg.Journal.Compression),
			Keep: cfg.Journal.Keep, Export: b.exportLines,
		},
		Notify:   b.notifyOptions(),
		Timeouts: b.timeouts, Retry: b.retry, OnCompleted: b.completed,
	}
}

// completed is called once for each transfer that this process completed.
func (b *Baler) completed(ctx context.Context, transfer int64) {
	failpoint.Point(failpoint.Completed)
	b.log.InfoContext(ctx, "transfer completed", "transfer", b.transfers.UUID(ctx, transfer))
}

// workerFinal is for a worker that runs the final steps of all transfers: these write
// below the folders in the setting outputs.
func (b *Baler) workerFinal() (f worker.FinalOptions, err error) {
	f = worker.FinalOptions{Timeout: b.finalizerTimeout, Retry: b.finalizerRetry}
	f.Outputs, err = handlers.NewOutputRoots(b.cfg.Outputs)
	f.Outputs = f.Outputs.WithObjects(b.objects)
	return f, err
}

// runFinal is for a process that works for one user. Unless outputs is set, final steps
// may write wherever that user may. On a database that others share, the process then
// runs only the final steps of transfers with its run key.
func (b *Baler) runFinal(runKey string) (f worker.FinalOptions, err error) {
	f, err = b.workerFinal()
	if err != nil || len(b.cfg.Outputs) > 0 {
		return f, err
	}
	here, err := os.Getwd()
	if err != nil {
		return f, fmt.Errorf("find the working folder: %w", err)
	}
	f.Outputs = handlers.AnyOutputRoot(here).WithObjects(b.objects)
	if b.store.Dialect() != db.SQLite {
		f.RunKey = runKey
	}
	return f, nil
}

func (b *Baler) finalizerTimeout(s *recipe.FinalStep, reg handlers.Registration) time.Duration {
	return cmp.Or(s.Timeout, b.cfg.Handlers[s.Handler].Timeout, reg.Timeouts.File)
}

func (b *Baler) finalizerRetry(s *recipe.FinalStep, reg handlers.Registration) tasks.RetryPolicy {
	return b.retryOver(s.Retry, s.Handler, reg)
}

// The precedence of a step's settings: the recipe, then the site's
// configuration for the handler, then the handler's own default, then the
// global default.

func (b *Baler) policy(s *recipe.Step) tasks.BatchPolicy {
	reg, _ := b.registry.Lookup(s.Handler) // a handler that only other workers have sets no default here
	return s.Batch.Overlay(b.cfg.Handlers[s.Handler].Batch).Overlay(reg.Batch).Overlay(b.cfg.Batch).Overlay(tasks.DefaultBatchPolicy())
}

func (b *Baler) timeouts(s *recipe.Step, reg handlers.Registration) handlers.Timeouts {
	site := b.cfg.Handlers[s.Handler]
	return handlers.Timeouts{
		File:  cmp.Or(s.Timeout, site.Timeout, reg.Timeouts.File),
		Batch: cmp.Or(s.BatchTimeout, site.BatchTimeout, reg.Timeouts.Batch),
	}
}

func (b *Baler) retry(s *recipe.Step, reg handlers.Registration) tasks.RetryPolicy {
	return b.retryOver(s.Retry, s.Handler, reg)
}

func (b *Baler) retryOver(step tasks.RetryPolicy, handler string, reg handlers.Registration) tasks.RetryPolicy {
	return step.Overlay(b.cfg.Handlers[handler].Retry).Overlay(reg.Retry)
}

// StopSignals are the signals that end a program in order: SIGINT, SIGTERM, and
// SIGHUP unless the program was started to ignore it, as nohup does.
func StopSignals() []os.Signal {
	all := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// ErrNoRoots is the error of a process that needs BALER_ROOTS before it may read files.
var ErrNoRoots = worker.ErrNoRoots

// CheckRoots returns ErrNoRoots when the queue or the database is shared and no roots
// are set: others could then make this process read any file. An embedded queue and
// database belong to the user who runs the process: there, the sources of each transfer
// limit which files are read for it.
func (b *Baler) CheckRoots() error {
	if len(b.cfg.Roots) > 0 {
		return nil
	}
	database, queue := b.Describe()
	switch {
	case !b.queue.Embedded():
		return fmt.Errorf("anyone who can write to the queue at %s could make this worker read any file: %w", queue, ErrNoRoots)
	case b.store.Dialect() != db.SQLite:
		return fmt.Errorf("anyone who can write to the database %s could make this worker read any file: %w", database, ErrNoRoots)
	}
	return nil
}
