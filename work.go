package baler

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/tasks"
)

// Work runs batches until ctx ends. Then it takes no new ones, gives those in
// hand the grace period of the configuration to finish, commits what is
// finished, hands back the rest without charging an attempt, and returns nil.
func (b *Baler) Work(ctx context.Context) error {
	c, err := b.workerFinalizeScope()
	if err != nil {
		return err
	}
	return b.work(ctx, c)
}

func (b *Baler) work(ctx context.Context, c finalizeScope) error {
	w, err := b.newWorker(c) //nolint:contextcheck // what it makes ends with stop, in order, and not with ctx
	if err != nil {
		return err
	}
	if err := w.start(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil // told to stop before it had begun
		}
		return errors.Join(err, w.end(context.WithoutCancel(ctx)))
	}
	w.applyDesired(ctx)
	return w.stop(context.WithoutCancel(ctx))
}

// worker is what runs inside one Work, in the order in which it is stopped.
type worker struct {
	b          *Baler
	serve      func() *asynq.Server // makes a server: one can be started once
	server     *asynq.Server        // nil while the worker rests
	wishes     chan tasks.DesiredState
	aggregates context.CancelFunc
	dispatcher *batcher.Dispatcher
	runner     *handlers.Runner
	recorder   *handlers.Recorder
	closer     *handlers.Finalizers
	closing    func() // lets the closer take no more steps, and returns when those in hand have ended; nil while the worker rests

	background context.CancelFunc
	ended      sync.WaitGroup
	resting    sync.WaitGroup // servers that finish what they had in hand
	started    time.Time
}

func (b *Baler) newWorker(c finalizeScope) (*worker, error) {
	w := &worker{b: b, started: b.now(), wishes: make(chan tasks.DesiredState, 1)}
	w.dispatcher = b.newDispatcher()
	intake := 0
	if adapt := b.cfg.Record.Adapt; adapt == nil || *adapt {
		intake = b.cfg.Worker.Concurrency
	}
	w.recorder = handlers.NewRecorder(b.store, handlers.RecorderOptions{
		Adapt: intake, Metrics: b.handlers,
		MaxItems: b.cfg.Record.MaxItems, Flushers: b.cfg.Record.Flushers, OnFlush: b.handlers.ObserveFlush, Log: b.log,
	})
	var err error
	w.runner, err = handlers.NewRunner(handlers.RunnerOptions{
		Store: b.store, Queue: b.queue.producer, Transfers: b.catalog, Registry: b.registry, Recorder: w.recorder,
		Worker: b.cfg.Worker.Name, Slots: b.cfg.Worker.Slots, MaxOutput: int(b.cfg.Record.MaxOutput), Roots: b.cfg.Roots,
		FlushAfter: b.cfg.Record.MaxDelay,
		Timeout:    b.timeout, Retry: b.retry, BatchEnded: w.dispatcher.Wake, OnCompleted: b.completed,
		Metrics: b.handlers, Log: b.log, Now: b.now,
	})
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	w.closer = b.newFinalizers(c)
	ctx, cancel := context.WithCancel(context.Background())
	w.aggregates = cancel
	w.serve = func() *asynq.Server { return asynq.NewServerFromRedisClient(b.queue.client, b.serverConfig(ctx)) }
	return w, nil
}

// serverConfig is how asynq serves; its aggregator gives up waiting when ctx ends.
func (b *Baler) serverConfig(ctx context.Context) asynq.Config {
	return asynq.Config{
		Concurrency: b.cfg.Worker.Concurrency,
		Queues:      b.cfg.Worker.Queues,

		// Only a lost lease counts as a retry: what the runner returns is never
		// the batch's fault.
		IsFailure:      func(err error) bool { return errors.Is(err, asynq.ErrLeaseExpired) },
		RetryDelayFunc: retryDelay,

		TaskCheckInterval:        b.cfg.Worker.Interval,
		DelayedTaskCheckInterval: 250 * time.Millisecond, // of a batch that a busy worker gave back
		ShutdownTimeout:          b.cfg.Worker.Grace + handBackTime,

		GroupAggregator:  batcher.NewAggregator(ctx, b.store, b.queue.producer, b.catalog, b.log),
		GroupGracePeriod: b.cfg.Group.Grace,
		GroupMaxDelay:    b.cfg.Group.MaxDelay,
		GroupMaxSize:     b.cfg.Group.MaxSize,

		Logger: asynqLog{b.log}, LogLevel: asynq.WarnLevel,
	}
}

// handBackTime is what handlers that were told to stop, and the ledger, get
// after the grace period.
const handBackTime = 10 * time.Second

// retryDelay is how long a batch that went back waits before it is delivered
// again: long enough not to spin, with jitter so that many do not come at once.
func retryDelay(_ int, err error, _ *asynq.Task) time.Duration {
	switch {
	case errors.Is(err, asynq.ErrLeaseExpired):
		return 0
	case errors.Is(err, handlers.ErrNoSlots):
		return soon()
	}
	if full, ok := errors.AsType[*handlers.ThrottledError](err); ok {
		return full.RetryAfter + soon()
	}
	return time.Second + rand.N(2*time.Second)
}

// soon is when there may be room for a batch where there was none.
func soon() time.Duration { return 50*time.Millisecond + rand.N(200*time.Millisecond) }

func (b *Baler) newDispatcher() *batcher.Dispatcher {
	return batcher.NewDispatcher(b.store, b.queue.producer, b.catalog, b.dispatcherOptions())
}

func (b *Baler) dispatcherOptions() batcher.DispatcherOptions {
	o := batcher.DispatcherOptions{
		LeaseHolder: b.cfg.Worker.Name, Window: b.cfg.Dispatch.Window, Interval: b.cfg.Dispatch.Interval,
		SweepDelay: b.cfg.Dispatch.Lag, Resend: b.cfg.Dispatch.Resend, Handlers: b.registry.Names(),
		OnCompleted: b.completed, Log: b.log, Now: b.now,
	}
	watch := &capacityView{b: b}
	o.Capacity, o.Limits = watch.slots, watch.within
	for queue := range b.cfg.Worker.Queues {
		o.Queues = append(o.Queues, queue)
	}
	if b.queue.embedded != nil {
		// The queue was born with this process: whatever the ledger has is not in it.
		o.OnElected = b.store.MakeAllDue
	}
	return o
}

func (w *worker) start(ctx context.Context) error {
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w.background = cancel
	// What was wished of a worker of this name that died is not wished of this one.
	if err := w.b.store.RemoveWorker(ctx, w.b.cfg.Worker.Name); err != nil {
		return err
	}
	wish, next, err := w.heartbeat(ctx)
	if err != nil {
		return err
	}
	if err := w.b.loadCosts(ctx); err != nil {
		return err
	}
	if wish != tasks.WorkerPaused {
		if err := w.startServer(ctx); err != nil {
			return err
		}
	}
	w.ended.Go(func() { _ = w.dispatcher.Run(background) }) // it ends with its context and logs its errors
	w.ended.Go(func() { w.beat(background, next) })
	w.ended.Go(func() { _ = w.b.newWebhookSender().Run(background) }) // as the dispatcher
	w.b.log.InfoContext(ctx, "worker started", "name", w.b.cfg.Worker.Name, "concurrency", w.b.cfg.Worker.Concurrency,
		"handlers", w.b.registry.Names())
	return nil
}

// heartbeatInterval is how often a worker tells the database that it lives.
const heartbeatInterval = 5 * time.Second

// fastHeartbeat is how soon it does so again while workers hand each other parts of a
// ceiling.
const fastHeartbeat = 500 * time.Millisecond

func (w *worker) beat(ctx context.Context, first time.Duration) {
	t := time.NewTimer(first)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.b.sizer.Changed():
			if err := w.b.shareCosts(ctx); err != nil && ctx.Err() == nil {
				w.b.log.WarnContext(ctx, "worker: what was learnt of costs is not shared yet", "error", err)
			}
		case <-t.C:
			wish, next, err := w.heartbeat(ctx)
			t.Reset(next)
			if err == nil {
				err = w.runner.StopCanceled(ctx)
			}
			if err == nil {
				err = w.b.shareCosts(ctx)
			}
			if err != nil && ctx.Err() == nil {
				w.b.log.WarnContext(ctx, "worker: heartbeat failed", "error", err)
				continue
			}
			w.setDesired(wish)
		}
	}
}

// heartbeat tells the database that the worker lives, and what of it is wanted:
// one that the ceilings leave nothing to rests. Next is when to beat again.
func (w *worker) heartbeat(ctx context.Context) (wish tasks.DesiredState, next time.Duration, err error) {
	o, err := w.b.store.HeartbeatWorker(ctx, tasks.Worker{
		Name: w.b.cfg.Worker.Name, Handlers: w.b.handlerNames(), Slots: w.b.cfg.Worker.Concurrency,
		Version: w.b.version, StartedAt: w.started, LimitsInUse: w.runner.LimitsInUse(),
	})
	if err != nil {
		return "", heartbeatInterval, err
	}
	next = heartbeatInterval
	if w.runner.SetLimits(o.Shares) {
		next = fastHeartbeat
	}
	if o.State == tasks.WorkerRunning && w.runner.Blocked() {
		return tasks.WorkerPaused, next, nil
	}
	return o.State, next, nil
}

// stop ends the worker in order: no new batches, then the grace period for
// those in hand, then their hand-back, then what records and dispatches.
func (w *worker) stop(ctx context.Context) error {
	w.b.log.InfoContext(ctx, "worker stopping", "grace", w.b.cfg.Worker.Grace)
	// Sets that are being made into batches have as long as handlers: asynq would
	// bring them again only minutes later.
	late := time.AfterFunc(w.b.cfg.Worker.Grace, func() {
		w.runner.Stop()
		w.closer.Stop()
		w.aggregates()
	})
	defer late.Stop()
	w.pauseIntake(true)
	w.resting.Wait()
	return w.end(ctx)
}

func (w *worker) end(ctx context.Context) error {
	w.aggregates()
	w.runner.Stop()
	w.closer.Stop()
	ctx, cancel := context.WithTimeout(ctx, handBackTime)
	defer cancel()
	err := w.recorder.Close(ctx)
	if w.background != nil {
		w.background()
	}
	w.ended.Wait()
	return errors.Join(err, w.runner.Close(), w.b.store.RemoveWorker(ctx, w.b.cfg.Worker.Name))
}

// completed is told once of every transfer that this process completed.
func (b *Baler) completed(ctx context.Context, transfer int64) {
	failpoint.Point(failpoint.Completed)
	b.log.InfoContext(ctx, "transfer completed", "transfer", transfer)
}
