package worker

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// reconcile brings the worker into the desired state. It reports whether the worker
// should end after its batches. Applying a state again has no effect.
func (w *Instance) reconcile(ctx context.Context, desired pulse) (drain bool, err error) {
	w.batches.Weigh(desired.weights)
	switch desired.state {
	case tasks.WorkerRunning:
		return false, w.batches.Start(ctx)
	case tasks.WorkerPaused:
		w.batches.Pause()
	case tasks.WorkerDraining:
		w.batches.Pause()
		return true, nil
	}
	return false, nil
}

// setDesired passes a desired state, and the weights of queues, to takeBatches. A newer one replaces it.
func (w *Instance) setDesired(desired pulse) {
	select {
	case <-w.desired:
	default:
	}
	w.desired <- desired
}
