package worker

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/balerhq/baler/tasks"
)

// fastHeartbeat is the time between heartbeats while shares of a limit move from one
// worker to another.
const fastHeartbeat = 500 * time.Millisecond

// pulse is the result of one heartbeat.
type pulse struct {
	state tasks.DesiredState
	next  time.Duration // until the next heartbeat
}

// beat writes heartbeats until ctx ends, and returns the error of ctx. It also shares the
// costs that this worker observes, and stops batches whose transfer was canceled.
func (w *Worker) beat(ctx context.Context, first time.Duration) error {
	t := time.NewTimer(first)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.Costs.Changed():
			if err := shareCosts(ctx, w.Options); err != nil && ctx.Err() == nil {
				w.Log.WarnContext(ctx, "worker: costs are not shared yet", "error", err)
			}
		case <-t.C:
			p, err := w.heartbeat(ctx)
			t.Reset(p.next)
			if err == nil {
				err = w.batches.runner.StopCanceled(ctx)
			}
			if err == nil {
				err = shareCosts(ctx, w.Options)
			}
			if err != nil {
				if ctx.Err() == nil {
					w.Log.WarnContext(ctx, "worker: heartbeat failed", "error", err)
				}
				continue
			}
			w.setDesired(p.state)
		}
	}
}

// heartbeat records that the worker is alive, and reads its desired state and its shares
// of limits. A worker whose share of a limit is zero is paused.
func (w *Worker) heartbeat(ctx context.Context) (pulse, error) {
	p := pulse{next: w.Heartbeat}
	directives, err := w.Store.HeartbeatWorker(ctx, tasks.Worker{
		Name: w.Name, Handlers: w.handlerNames(), Slots: w.Concurrency,
		Version: w.Version, StartedAt: w.started, LimitsInUse: w.batches.runner.LimitsInUse(),
		Queues: slices.Sorted(maps.Keys(w.Queues)),
	})
	if err != nil {
		return p, err
	}
	if w.batches.runner.SetLimits(directives.Shares) {
		p.next = min(fastHeartbeat, w.Heartbeat)
	}
	p.state = directives.State
	if p.state == tasks.WorkerRunning && w.batches.runner.Blocked() {
		p.state = tasks.WorkerPaused
	}
	return p, nil
}
