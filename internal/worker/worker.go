package worker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/oklog/run"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/walltime"
)

// StopTime is how long a worker may take after the grace period to stop its handlers
// and to release their batches in the ledger.
const StopTime = 10 * time.Second

// Instance runs batches in one process. Make one with New; it runs once.
type Instance struct {
	Options

	batches    *batches
	recorder   *recorder.Recorder
	meter      *walltime.Meter
	dispatcher *dispatch.Dispatcher
	started    time.Time
	instance   string     // distinguishes this process from others of the same name
	desired    chan pulse // the last one that a heartbeat read, until it is applied
	written    writeTimes
	registered atomic.Bool // the worker has a row in the database; false again once it stops
}

// New makes a worker. It takes no batches before Run.
func New(o Options) (*Instance, error) {
	o = o.withDefaults()
	w := &Instance{
		Options: o, recorder: o.recorder(), dispatcher: o.Dispatcher(), started: o.Now(),
		instance: rand.Text(), desired: make(chan pulse, 1),
	}
	// As many batches are in a handler at most: the slots of the host, unless fewer batches run.
	slots := min(o.Slots, o.Concurrency)
	w.meter = walltime.NewMeter(walltime.MeterOptions{Worker: o.Name, Slots: slots, Started: w.started, Now: o.Now})
	runner, err := o.runner(w.recorder, w.meter, w.dispatcher.Wake)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start worker: %w", err), w.recorder.Close(context.Background()))
	}
	w.batches = newBatches(o, runner)
	return w, nil
}

// Run takes batches until ctx ends or the worker has been drained, then stops in order
// and returns nil. An error says why the worker could not start, or what it could not
// write when it stopped.
func (w *Instance) Run(ctx context.Context) error {
	first, err := w.register(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = nil // it was stopped before it started
		}
		return errors.Join(err, w.stop(context.WithoutCancel(ctx)), w.remove(context.WithoutCancel(ctx)))
	}
	w.registered.Store(true)
	w.Log.InfoContext(ctx, "worker started", "name", w.Name, "concurrency", w.Concurrency, "handlers", w.Registry.Names())

	// The order of stopping: (1) take no new batches and final steps; (2) let those that
	// run finish within the grace period; (3) release the rest, which does not count as
	// an attempt; (4) commit what the recorder holds; (5) end the dispatcher, the
	// heartbeat, the pruner and the webhook sender, which until now dispatched for other workers and
	// showed that this one was alive; (6) remove the worker's row. Steps 1 to 4 are in
	// takeBatches, 5 is in the group, 6 is below, after the handlers have been closed.
	var group run.Group
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	taking, stop := context.WithCancel(ctx)
	defer stop()
	group.Add(func() error { return w.takeBatches(taking, first) }, func(error) { stop() })
	for _, run := range []func(context.Context) error{
		w.dispatcher.Run,
		w.Sender().Run,
		w.hold,
		w.Pruner().Run,
		w.Journaler().Run,
		func(ctx context.Context) error { return w.beat(ctx, first.next) },
	} {
		group.Add(func() error { return run(background) }, func(error) { end() })
	}
	return errors.Join(group.Run(), w.Registry.Close(), w.remove(context.WithoutCancel(ctx)))
}

// ErrNotRunning says that a worker has not started yet, or is stopping.
var ErrNotRunning = errors.New("the worker has not started yet, or is stopping")

// Ready returns ErrNotRunning before the worker has started and once it stops. A paused
// worker is ready.
func (w *Instance) Ready() error {
	if !w.registered.Load() {
		return ErrNotRunning
	}
	return nil
}

// register adds the worker to the database, and reads its desired state. It returns an
// error when another live worker has the name.
func (w *Instance) register(ctx context.Context) (pulse, error) {
	if err := w.checkClock(ctx); err != nil {
		return pulse{}, fmt.Errorf("start worker: %w", err)
	}
	first, err := w.heartbeat(ctx)
	if other, exists := errors.AsType[*store.WorkerExistsError](err); exists {
		first, err = w.replace(ctx, other)
	}
	if err != nil {
		return pulse{}, err
	}
	if err := w.compareKeys(ctx); err != nil {
		return pulse{}, err
	}
	return first, LoadCosts(ctx, w.Store, w.Costs)
}

// compareKeys warns when live workers have other signing keys than this one, which has
// registered: of two that start at the same time at least the second one sees the other.
func (w *Instance) compareKeys(ctx context.Context) error {
	if w.Embedded {
		return nil
	}
	workers, err := w.Store.Workers(ctx)
	if err == nil {
		w.Producer.Keys.WarnOfDifferences(ctx, w.Log, w.Name, workers)
	}
	return err
}

// replace registers this worker in place of one of the same name that wrote a heartbeat
// recently, for example before a crash, unless that one proves to be alive.
func (w *Instance) replace(ctx context.Context, other *store.WorkerExistsError) (pulse, error) {
	patience := silentBeats * w.Heartbeat
	w.Log.InfoContext(ctx, "a worker of this name was alive recently: waiting to see whether it is dead", "name", w.Name, "for", patience)
	for waited := time.Duration(0); waited < patience; waited += w.Heartbeat / 4 {
		if err := sleep.For(ctx, w.Heartbeat/4); err != nil {
			return pulse{}, err
		}
		first, err := w.heartbeat(ctx)
		again, exists := errors.AsType[*store.WorkerExistsError](err)
		if !exists || !again.SeenAt.Equal(other.SeenAt) {
			return first, err // the other worker has stopped, or is alive
		}
	}
	if err := w.Store.RemoveSilentWorker(ctx, w.Name, other.SeenAt); err != nil {
		return pulse{}, err
	}
	return w.heartbeat(ctx)
}

// silentBeats is the number of missed heartbeats after which a worker counts as dead.
const silentBeats = 3

// takeBatches follows the desired state until ctx ends or the worker is drained, and
// then stops.
func (w *Instance) takeBatches(ctx context.Context, desired pulse) error {
	drain, err := w.reconcile(ctx, desired)
	if err != nil {
		return errors.Join(err, w.stop(context.WithoutCancel(ctx)))
	}
	starting := outage.New(w.Log, outage.Redis, "take batches")
	for !drain {
		select {
		case <-ctx.Done():
			return w.stop(context.WithoutCancel(ctx))
		case desired := <-w.desired:
			if drain, err = w.reconcile(ctx, desired); err != nil {
				_ = starting.Failed(ctx, err) // the next heartbeat tries again
				continue
			}
			starting.Answered(ctx)
		}
	}
	w.batches.WaitIdle(ctx)
	return w.stop(context.WithoutCancel(ctx))
}

// stop does steps 1 to 4 of the order of stopping. It returns at once for a worker that
// takes no batches and runs none.
func (w *Instance) stop(ctx context.Context) error {
	w.registered.Store(false)
	w.Log.InfoContext(ctx, "worker stopping", "grace", w.Grace)
	w.batches.Pause()
	release := time.AfterFunc(w.Grace, w.batches.Release)
	w.batches.WaitIdle(ctx)
	release.Stop()
	w.batches.Release()
	ctx, cancel := context.WithTimeout(ctx, StopTime)
	defer cancel()
	err := w.recorder.Close(ctx)
	w.meter.Close()
	return errors.Join(err, w.meter.Flush(ctx, w.Store), w.batches.Close())
}

func (w *Instance) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, StopTime)
	defer cancel()
	return w.Store.RemoveWorker(ctx, w.Name, w.instance)
}
