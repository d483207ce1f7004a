package worker

import (
	"context"
	"time"
)

// holdInterval is the time between two publications of the batches that this worker holds.
// It is a fraction of queue.HoldTime, so that a few late messages do no harm.
const holdInterval = time.Second

// hold publishes every second which batches this worker holds, until ctx ends. If the
// worker dies, the dispatcher of another process sends these batches again within seconds.
func (w *Instance) hold(ctx context.Context) error {
	if w.Embedded {
		<-ctx.Done() // an embedded queue ends with this process
		return ctx.Err()
	}
	holder := w.Name + " " + w.instance
	tick := time.NewTicker(holdInterval)
	defer tick.Stop()
	for {
		if err := w.Producer.Hold(ctx, holder, w.batches.runner.InHand()); err != nil && ctx.Err() == nil {
			w.Log.DebugContext(ctx, "worker: cannot publish which batches it holds", "error", err)
		}
		select {
		case <-ctx.Done():
			return w.releaseHold(ctx, holder)
		case <-tick.C:
		}
	}
}

func (w *Instance) releaseHold(ctx context.Context, holder string) error {
	stopped := ctx.Err()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := w.Producer.ReleaseHold(ctx, holder); err != nil {
		w.Log.DebugContext(ctx, "worker: cannot remove the list of batches that it holds; it expires by itself", "error", err)
	}
	return stopped
}
