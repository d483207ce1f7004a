package worker

import (
	"context"
	"time"
)

// holdInterval is the time between two signs of which batches this worker holds: a
// fraction of queue.HoldTime, so that a few that are late do no harm.
const holdInterval = time.Second

// hold says every second which batches this worker holds, until ctx ends. Should it die,
// the dispatcher of another process sends these again within seconds.
func (w *Worker) hold(ctx context.Context) error {
	if w.Embedded {
		<-ctx.Done() // the queue dies with this process
		return ctx.Err()
	}
	holder := w.Name + " " + w.instance
	tick := time.NewTicker(holdInterval)
	defer tick.Stop()
	for {
		if err := w.Producer.Hold(ctx, holder, w.batches.runner.InHand()); err != nil && ctx.Err() == nil {
			w.Log.DebugContext(ctx, "worker: cannot show which batches it holds", "error", err)
		}
		select {
		case <-ctx.Done():
			return w.releaseHold(ctx, holder)
		case <-tick.C:
		}
	}
}

func (w *Worker) releaseHold(ctx context.Context, holder string) error {
	stopped := ctx.Err()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := w.Producer.ReleaseHold(ctx, holder); err != nil {
		w.Log.DebugContext(ctx, "worker: the sign that it is alive expires by itself", "error", err)
	}
	return stopped
}
