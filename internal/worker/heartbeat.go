package worker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/internal/outage"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// fastHeartbeat is the time between heartbeats while shares of a limit move from one
// worker to another.
const fastHeartbeat = 500 * time.Millisecond

// throttledBeats is for how many heartbeats a worker reports a limit that has kept a batch
// out. A batch that is kept out is tried again within that time.
const throttledBeats = 2

// pulse is the result of one heartbeat.
type pulse struct {
	state tasks.DesiredState
	next  time.Duration // until the next heartbeat

	weights map[string]int // of queues that a person has set
}

// beat writes heartbeats until ctx ends, and returns the error of ctx. It also shares the
// costs that this worker observes, stops batches whose transfer was canceled, and reports
// when Redis fails or works again.
func (w *Instance) beat(ctx context.Context, first time.Duration) error {
	t := time.NewTimer(first)
	defer t.Stop()
	database := outage.New(w.Log, outage.Database, "send the worker's heartbeat")
	redis := outage.New(w.Log, outage.Redis, "ask whether it answers")
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.Costs.Changed():
			_ = database.Done(ctx, shareCosts(ctx, w.Options)) // after an error the next heartbeat shares them
		case <-w.meter.Changed():
			_ = database.Done(ctx, w.meter.Flush(ctx, w.Store)) // likewise
		case <-w.batches.runner.WantsLimits():
			t.Reset(0)
		case <-t.C:
			p := pulse{next: w.Heartbeat}
			err := invoke.Guard(ctx, w.Log, "worker", func() (err error) {
				p, err = w.turn(ctx)
				return err
			})
			t.Reset(p.next)
			if _, exists := errors.AsType[*store.WorkerExistsError](err); exists {
				return err // another worker of this name replaced this one, for example while the process was frozen
			}
			if database.Done(ctx, err) == nil {
				w.setDesired(p)
			}
			_ = redis.Done(ctx, w.Redis.Ping(ctx).Err())
		}
	}
}

// turn does the work of one heartbeat.
func (w *Instance) turn(ctx context.Context) (pulse, error) {
	p, err := w.heartbeat(ctx)
	if err != nil {
		return p, err
	}
	if err := w.batches.runner.HoldRunning(ctx); err != nil {
		return p, err
	}
	if err := w.batches.runner.StopCanceled(ctx); err != nil {
		return p, err
	}
	if err := w.meter.Flush(ctx, w.Store); err != nil {
		return p, err
	}
	return p, shareCosts(ctx, w.Options)
}

// clockIsOff reports whether the clock of this host differs too much from that of Redis.
// While it does, the worker takes no batches.
func (w *Instance) clockIsOff(ctx context.Context) bool {
	var skew *queue.ClockSkewError
	if err := w.checkClock(ctx); !errors.As(err, &skew) {
		return false // other code reports that Redis does not answer
	}
	w.Log.ErrorContext(ctx, "worker: takes no batches until the clock is right", "error", skew)
	return true
}

// checkClock returns an error when the clock of this host is too far from that of Redis
// for asynq's leases. An embedded queue uses the clock of this host.
func (w *Instance) checkClock(ctx context.Context) error {
	if w.Embedded {
		return nil
	}
	return queue.CheckClock(ctx, w.Redis, w.HostClock)
}

// heartbeat records that the worker is alive, and reads its desired state and its shares
// of limits. A worker whose share of a limit is zero is paused.
func (w *Instance) heartbeat(ctx context.Context) (pulse, error) {
	p := pulse{next: w.Heartbeat}
	began := time.Now()
	directives, err := w.Store.HeartbeatWorker(ctx, tasks.Worker{
		Name: w.Name, Handlers: w.handlerNames(), Slots: w.Concurrency,
		Version: w.Version, StartedAt: w.started, LimitsInUse: w.batches.runner.LimitsInUse(),
		RatesInUse: w.batches.runner.RatesInUse(),
		Queues:     slices.Sorted(maps.Keys(w.Queues)), Throttled: w.batches.runner.Throttled(throttledBeats * w.Heartbeat),
		WriteTime: w.written.both(), SigningKeys: w.Producer.Keys.IDs(), Host: w.Host, LimitsWanted: w.batches.runner.LimitsWanted(),
	}, w.instance)
	if err != nil {
		return p, err
	}
	w.written.add(time.Since(began))
	if w.batches.runner.SetLimits(directives.Shares, time.Since(began)) {
		p.next = min(fastHeartbeat, w.Heartbeat)
	}
	if w.SetLevel != nil {
		w.SetLevel(ctx, directives.LogLevel)
	}
	p.state, p.weights = directives.State, directives.QueueWeights
	if w.clockIsOff(ctx) {
		p.state = tasks.WorkerPaused
	}
	if p.state == tasks.WorkerRunning && w.batches.runner.Blocked() {
		p.state = tasks.WorkerPaused
	}
	return p, nil
}
