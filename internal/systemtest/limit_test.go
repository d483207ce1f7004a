package systemtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// limitedWorkers are two workers whose handlers run until the test releases them. It counts
// how many run at once.
type limitedWorkers struct {
	t       *testing.T
	b       *baler.Baler
	running atomic.Int64
	allowed atomic.Int64 // how many may run when another begins
	proceed chan struct{}
}

func newLimitedWorkers(t *testing.T, c config.Config, allowed int64) *limitedWorkers {
	t.Helper()
	w := &limitedWorkers{t: t, proceed: make(chan struct{})}
	w.allowed.Store(allowed)
	c.Worker.Concurrency, c.Worker.Slots = 6, 6
	for i := range 2 {
		c.Worker.Name = fmt.Sprintf("worker-%d", i)
		b := open(t, c, register(t, "hold", w.hold))
		if i == 0 {
			w.b = b
			w.limit(int(allowed))
		}
		work(t, b)
	}
	return w
}

func (w *limitedWorkers) hold(ctx context.Context, _ *handlers.Job) error {
	defer w.running.Add(-1)
	if n, most := w.running.Add(1), w.allowed.Load(); n > most {
		w.t.Errorf("%d batches run, the limit is %d", n, most)
	}
	select {
	case <-w.proceed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *limitedWorkers) limit(inFlight int) {
	w.t.Helper()
	_, err := w.b.SetLimit(w.t.Context(), tasks.ScopeAll, "", tasks.LimitChange{InFlight: &inFlight})
	testkit.Must(w.t, err)
}

// runs waits until that many batches run.
func (w *limitedWorkers) runs(least int64) {
	w.t.Helper()
	testkit.Eventually(w.t, time.Minute, func() error {
		if n := w.running.Load(); n < least {
			return fmt.Errorf("%d batches run, want %d", n, least)
		}
		return nil
	})
}

// awaitHeartbeats waits until every worker has read the limits that are set now: that is so after its
// second heartbeat.
func (w *limitedWorkers) awaitHeartbeats() {
	w.t.Helper()
	for range 2 {
		since := time.Now()
		testkit.Eventually(w.t, time.Minute, func() error {
			workers, err := w.b.Workers(w.t.Context())
			for _, worker := range workers {
				if !worker.SeenAt.After(since) {
					return fmt.Errorf("%s was last seen at %s", worker.Name, worker.SeenAt)
				}
			}
			return err
		})
	}
}

// All workers together never run more batches than the limit, also while it changes. No
// file is lost, and none loses an attempt.
func TestLimitHoldsOverAllWorkers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 40
		// Workers with embedded queues do not share batches: one of them gets all.
		first, lower, full, more := int64(3), int64(1), int64(3), int64(7)
		if c.Redis.URL == "embedded" {
			first, lower, full, more = 4, 2, 2, 5
		}
		w := newLimitedWorkers(t, c, first)
		tr := submit(t, w.b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk,
			Recipe: yaml(t, "name: held\nsteps: [{handler: hold, batch: {max_items: 1}}]"),
		})
		w.awaitHeartbeats()
		w.runs(full)

		w.limit(int(lower))
		w.awaitHeartbeats()
		w.allowed.Store(lower)
		for range 10 {
			w.proceed <- struct{}{}
		}
		w.runs(1)

		w.allowed.Store(files)
		w.limit(0)
		w.runs(more)
		close(w.proceed)
		for _, l := range audit(t, w.b, wait(t, w.b, tr.UUID)) {
			if l.Outcome != tasks.OutcomeSucceeded || l.Attempt != 1 {
				t.Errorf("file %d ended as %s at attempt %d", l.File, l.Outcome, l.Attempt)
			}
		}
	})
}

// A limit on one transfer does not affect others.
func TestLimitOfATransfer(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		b := open(t, c, nil)
		recipe := builtinRecipe(t, "checksum")
		slow := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 50)}, Via: tasks.ViaBulk, Recipe: recipe})
		rate, one := 0.001, 1
		_, err := b.SetLimit(t.Context(), tasks.ScopeTransfer, slow.UUID, tasks.LimitChange{InFlight: &one, FilesPerSecond: &rate})
		testkit.Must(t, err)
		work(t, b)
		other := submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 50)}, Via: tasks.ViaBulk, Recipe: recipe})
		wait(t, b, other.UUID)
		now, err := b.Transfer(t.Context(), slow.UUID)
		testkit.Must(t, err)
		if now.Finished > 1 {
			t.Errorf("%d files ran at a rate of one in a thousand seconds", now.Finished)
		}
		none, nothing := 0.0, 0
		_, err = b.SetLimit(t.Context(), tasks.ScopeTransfer, slow.UUID, tasks.LimitChange{InFlight: &nothing, FilesPerSecond: &none})
		testkit.Must(t, err)
		audit(t, b, wait(t, b, slow.UUID))
	})
}
