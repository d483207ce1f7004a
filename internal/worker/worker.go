package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/run"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/recorder"
	"github.com/balerhq/baler/tasks"
)

// ReleaseTime is how long a worker may take after the grace period to release
// what is not finished: handlers that were told to stop, and the ledger.
const ReleaseTime = 10 * time.Second

// Worker runs batches in one process. Make one with New; it runs once.
type Worker struct {
	Options

	batches    *batches
	recorder   *recorder.Recorder
	dispatcher *dispatch.Dispatcher
	started    time.Time
	desired    chan tasks.DesiredState // the last one that a heartbeat read, until it is applied
}

// New makes a worker, which takes nothing yet.
func New(o Options) (*Worker, error) {
	o = o.withDefaults()
	w := &Worker{
		Options: o, recorder: o.recorder(), dispatcher: o.Dispatcher(), started: o.Now(), desired: make(chan tasks.DesiredState, 1),
	}
	runner, err := o.runner(w.recorder, w.dispatcher.Wake)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start worker: %w", err), w.recorder.Close(context.Background()))
	}
	w.batches = newBatches(o, runner)
	return w, nil
}

// Run takes batches until ctx ends or the worker has been drained, then stops
// in order and returns nil. An error says what kept the worker from starting,
// or what it could not write when it stopped.
func (w *Worker) Run(ctx context.Context) error {
	first, err := w.register(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = nil // it was stopped before it began
		}
		return errors.Join(err, w.stop(context.WithoutCancel(ctx)), w.remove(context.WithoutCancel(ctx)))
	}
	w.Log.InfoContext(ctx, "worker started", "name", w.Name, "concurrency", w.Concurrency, "handlers", w.Registry.Names())

	// The order of stopping: (1) no new batches and no new final steps; (2) those
	// in hand finish within the grace period; (3) the rest is released, without an
	// attempt charged; (4) the recorder commits what it holds; (5) the dispatcher,
	// the heartbeat and the webhook sender end, which until now kept the results of
	// others moving and this worker alive in the eyes of others; (6) the worker's
	// row goes. Steps 1 to 4 are takeBatches, 5 is the group's, 6 is below.
	var group run.Group
	background, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	group.Add(func() error { return w.takeBatches(ctx, first.state) }, func(error) { end() })
	for _, run := range []func(context.Context) error{
		w.dispatcher.Run,
		w.Sender().Run,
		func(ctx context.Context) error { return w.beat(ctx, first.next) },
	} {
		group.Add(func() error { return run(background) }, func(error) { end() })
	}
	return errors.Join(group.Run(), w.remove(context.WithoutCancel(ctx)))
}

// register makes the worker known, and reads what a person wants of it. The
// desired state of a dead worker of the same name does not hold for this one.
func (w *Worker) register(ctx context.Context) (pulse, error) {
	if err := w.Store.RemoveWorker(ctx, w.Name); err != nil {
		return pulse{}, err
	}
	first, err := w.heartbeat(ctx)
	if err != nil {
		return pulse{}, err
	}
	return first, LoadCosts(ctx, w.Store, w.Costs)
}

// takeBatches takes batches as people want it until ctx ends or they drain the
// worker, and then stops.
func (w *Worker) takeBatches(ctx context.Context, desired tasks.DesiredState) error {
	drain, err := w.reconcile(ctx, desired)
	if err != nil {
		return errors.Join(err, w.stop(context.WithoutCancel(ctx)))
	}
	for !drain {
		select {
		case <-ctx.Done():
			return w.stop(context.WithoutCancel(ctx))
		case desired := <-w.desired:
			if drain, err = w.reconcile(ctx, desired); err != nil {
				w.Log.WarnContext(ctx, "worker: cannot take batches yet; the next heartbeat tries again", "error", err)
			}
		}
	}
	w.batches.WaitIdle(ctx)
	return w.stop(context.WithoutCancel(ctx))
}

// stop does steps 1 to 4 of the order of stopping. What is not taking batches
// any more, or never was, costs no time.
func (w *Worker) stop(ctx context.Context) error {
	w.Log.InfoContext(ctx, "worker stopping", "grace", w.Grace)
	w.batches.Pause()
	release := time.AfterFunc(w.Grace, w.batches.Release)
	w.batches.WaitIdle(ctx)
	release.Stop()
	w.batches.Release()
	ctx, cancel := context.WithTimeout(ctx, ReleaseTime)
	defer cancel()
	return errors.Join(w.recorder.Close(ctx), w.batches.Close())
}

func (w *Worker) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, ReleaseTime)
	defer cancel()
	return w.Store.RemoveWorker(ctx, w.Name)
}
