package runner

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/balerhq/baler/internal/backoff"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/tasks"
)

// How long a batch waits after it came to a worker without its handler. asynq gives it to
// any worker of its queue, so it may come to the same one again.
const (
	noHandlerFirst  = 250 * time.Millisecond
	noHandlerShared = 2 * time.Second  // at most, while a live worker can run it
	noHandlerAlone  = 10 * time.Second // at most, while none can: so long it may wait for a new one
)

// NoHandlerError says that this worker does not have the handler of a batch. The batch
// goes back to the queue, and the attempt does not count.
type NoHandlerError struct {
	Handler    string
	RetryAfter time.Duration
}

func (e *NoHandlerError) Error() string {
	return fmt.Sprintf("this worker does not have the handler %s", e.Handler)
}

// noHandlerLimit is of how many batches returns counts. A batch that comes again after
// they were cleared only waits for a shorter time.
const noHandlerLimit = 10_000

// returns counts how often batches came to a worker that cannot run them.
type returns struct {
	mu     sync.Mutex
	counts map[int64]returned   // by batch
	warned map[string]time.Time // by handler: when that was last said
}

type returned struct {
	times  int
	shared bool // another worker could run it
}

// add counts a return of a batch, and gives how long the batch shall wait. shared says
// whether a live worker can run it; once there is one, the batch waits for short again.
func (r *returns) add(batch int64, shared bool) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil || len(r.counts) >= noHandlerLimit {
		r.counts = make(map[int64]returned)
	}
	c := r.counts[batch]
	if c.shared != shared {
		c.times = 0
	}
	c.times, c.shared = c.times+1, shared
	r.counts[batch] = c
	most := noHandlerAlone
	if shared {
		most = noHandlerShared
	}
	return backoff.Jitter(backoff.Delay(noHandlerFirst, most, c.times))
}

// warn reports whether it is time to say that a handler is missing: once a minute.
func (r *returns) warn(handler string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.warned == nil || len(r.warned) >= noHandlerLimit {
		r.warned = make(map[string]time.Time)
	}
	if last, said := r.warned[handler]; said && now.Sub(last) < time.Minute {
		return false
	}
	r.warned[handler] = now
	return true
}

// returnBatch gives a batch back that this worker cannot run.
func (r *Runner) returnBatch(ctx context.Context, b *tasks.Batch, plan *dispatch.TransferPlan) error {
	handler := plan.Step(b.Step).Handler
	shared := r.CanRun != nil && r.CanRun(ctx, b.Queue, handler)
	if r.returns.warn(handler, r.Now()) {
		batchLog(r.Log, b, plan).WarnContext(ctx,
			"worker: does not have the handler, and leaves its batches to workers that have it; said once a minute",
			"handler", handler, "such a worker runs", shared)
	}
	return &NoHandlerError{Handler: handler, RetryAfter: r.returns.add(b.ID, shared)}
}
