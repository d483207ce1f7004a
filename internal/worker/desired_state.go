package worker

import (
	"context"

	"github.com/balerhq/baler/tasks"
)

// reconcile brings the worker to the desired state. It reports whether the
// worker is to end once its batches have. Each case may be applied again.
func (w *Worker) reconcile(ctx context.Context, desired tasks.DesiredState) (drain bool, err error) {
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

// setDesired passes a desired state on. Only the last one counts.
func (w *Worker) setDesired(desired tasks.DesiredState) {
	select {
	case <-w.desired:
	default:
	}
	w.desired <- desired
}
