package worker

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// reconcile brings the worker into the desired state. It reports whether the worker
// should end after its batches. Applying a state again has no effect.
func (w *Instance) reconcile(ctx context.Context, desired tasks.DesiredState) (drain bool, err error) {
	switch desired {
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

// setDesired passes a desired state to takeBatches. A newer one replaces it.
func (w *Instance) setDesired(desired tasks.DesiredState) {
	select {
	case <-w.desired:
	default:
	}
	w.desired <- desired
}
