package worker

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

// liveWorkers caches the list of live workers for a second. It is safe for concurrent use.
type liveWorkers struct {
	Options

	mu      sync.Mutex
	readAt  time.Time
	workers []tasks.Worker
}

// canRun reports whether a live worker of a queue takes batches of a handler. While the
// database does not answer, it uses the last list.
func (l *liveWorkers) canRun(ctx context.Context, queue, handler string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.Now(); now.Sub(l.readAt) > time.Second {
		l.readAt = now
		if all, err := l.Store.Workers(ctx); err == nil {
			l.workers = all
		}
	}
	return slices.ContainsFunc(l.workers, func(w tasks.Worker) bool {
		return w.DesiredState == tasks.WorkerRunning && slices.Contains(w.Queues, queue) && slices.Contains(w.Handlers, handler)
	})
}
