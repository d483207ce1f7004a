package runner

import (
	"context"
	"sync"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/invoke"
)

// takeSlots waits until the host has room for the batch. The slots are given back
// by free, which may be called twice.
func (r *batchRun) takeSlots(ctx context.Context) (free func(), err error) {
	ctx, cancel := r.untilStopped(ctx)
	defer cancel()
	n := r.weight()
	if err := r.slots.Acquire(ctx, r.batch.Transfer, n); err != nil {
		return nil, context.Cause(ctx)
	}
	free = sync.OnceFunc(func() { r.slots.Release(r.batch.Transfer, n) })
	if r.stopping.Err() != nil { // the slots became free because others stopped
		free()
		return nil, errStopping
	}
	return free, nil
}

// untilStopped is ctx, ended also when the worker stops.
func (r *batchRun) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(r.stopping, func() { cancel(errStopping) })
	return ctx, func() {
		release()
		cancel(nil)
	}
}

// recordTime is how long results may still take to be committed once the worker stops, so
// that finished files do not run again.
const recordTime = 2 * time.Second

// recording is ctx, ended also some time after the worker stops.
func (r *batchRun) recording(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	release := context.AfterFunc(r.stopping, func() {
		late := time.AfterFunc(recordTime, func() { cancel(errStopping) })
		context.AfterFunc(ctx, func() { late.Stop() })
	})
	return ctx, func() {
		release()
		cancel(nil)
	}
}

// working is the handler's context: it ends when the worker stops, the transfer is
// canceled, or the step's time runs out.
func (r *batchRun) working(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := r.untilStopped(ctx)
	release := context.AfterFunc(r.canceled, cancel)
	stop := func() {}
	if limit := r.batchTimeout(); limit > 0 {
		ctx, stop = context.WithTimeout(ctx, limit)
	}
	return ctx, func() {
		stop()
		release()
		cancel()
	}
}

// batchTimeout is the time limit of the batch. A handler that does not keep the time of
// each file has the time of all its files together.
func (r *batchRun) batchTimeout() time.Duration {
	limit := r.timeouts.Batch
	if limit == 0 && !r.registration.TimesFiles {
		limit = r.timeouts.File * time.Duration(len(r.work))
	}
	return limit
}

// invoke runs the handler over the jobs and returns its error, which concerns the
// jobs that it left open. It gives up on a handler that ignores the end of ctx.
func (r *batchRun) invoke(ctx context.Context, open []*handlers.Job) error {
	if len(open) == 0 {
		return nil
	}
	begun := r.now()
	ended := r.metrics.BeginBatch(r.registration.Name, len(open), bytesOf(open))
	left, err := invoke.Wait(ctx, invoke.Go(func() error { return r.registration.Handler.Handle(ctx, open) }), r.options.AbandonAfter)
	took := r.now().Sub(begun)
	ended(took)
	if left {
		r.log.WarnContext(ctx, "worker: the handler ignores the end of its context; it is left running", "handler", r.registration.Name)
	}
	if err == nil && ctx.Err() == nil && r.canceled.Err() == nil { // a run that was cut short has no meaningful cost
		r.plan.ObserveCost(r.batch.Step, len(open), bytesOf(open), took)
	}
	return err
}

func bytesOf(jobs []*handlers.Job) (sum int64) {
	for _, j := range jobs {
		sum += j.File().Size
	}
	return sum
}

// settle ends the jobs that the handler left open, and returns how many have to
// run again because the worker stops.
func (r *batchRun) settle(ctx context.Context, open []*handlers.Job, batchErr error) (left int) {
	remaining := handlers.Settle(ctx, open, batchErr)
	if r.isCanceled() {
		for _, j := range remaining {
			j.Finish(r.whyCanceled())
		}
		return 0
	}
	for _, j := range remaining {
		j.Abandon()
	}
	return len(remaining)
}
