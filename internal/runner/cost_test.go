package runner

import (
	"context"
	"math"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// The time that a batch took determines the size of later ones: of the same step in another
// transfer, and of a later step with the same handler and arguments.
func TestCostsThatWereLearntSizeBatches(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		const yaml = `name: t
steps:
  - {handler: slow, batch: {target: 10s}}
  - {handler: slow, name: again, batch: {target: 2s}}
  - {handler: slow, name: other, with: {size: 4096}, batch: {target: 10s}}`
		r := newEnv(t, url, yaml)
		var clock atomic.Int64 // every file takes half a second of it
		now := func() time.Time { return time.Unix(1_000_000, clock.Load()) }
		r.handle("slow", func(_ context.Context, jobs []*handlers.Job) error {
			clock.Add(int64(len(jobs)) * int64(time.Second/2))
			return nil
		})
		r.Transfers = dispatch.NewTransferCache(r.Store.TransferByID, func(s *recipe.Step) tasks.BatchPolicy {
			return tasks.BatchPolicy{MaxItems: 100, Target: s.Batch.Target}
		})
		r.Transfers.Costs = cost.NewModel("w", now)
		w := r.worker("w", func(o *Options) { o.Transfers, o.Now = r.Transfers, now })
		first := r.Files(40)
		if len(first) != 3 || first[0].Items() > 16 {
			t.Errorf("%d batches while nothing was known, the first of %d files", len(first), first[0].Items())
		}
		r.Must(r.deliver(w, &first[0]))
		e, err := r.Transfers.Get(t.Context(), r.Transfer.ID)
		r.Must(err)
		if got := e.Estimate(1); !got.Known || math.Abs(got.Predict(16, first[0].Bytes)-8) > 0.1 {
			t.Errorf("16 files that took 8 seconds are estimated as %+v", got)
		}
		if got := e.Estimate(3); got.Known {
			t.Errorf("other arguments are estimated as %+v", got)
		}
		again := 0
		for _, b := range r.Open() {
			if b.Step == 2 {
				again++
				if cost := e.Estimate(1).Predict(int64(b.Items()), b.Bytes); cost > 3 {
					t.Errorf("a batch of %v for a target of 2 s", cost)
				}
			}
		}
		if again < 4 {
			t.Errorf("8 seconds of work in %d batches for a target of 2 s", again)
		}
		r.finish(w)
		r.audit()
	})
}

// A batch that was cut short, or whose handler failed as a whole, tells nothing
// of the costs.
func TestBatchesThatWereCutShortTeachNothing(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: slow, retry: {attempts: 1}}]")
		r.Transfers.Costs = cost.NewModel("w", time.Now)
		r.handle("slow", func(context.Context, []*handlers.Job) error { return context.DeadlineExceeded })
		batches := r.Files(3)
		r.Must(r.deliver(r.worker("w"), &batches[0]))
		r.Transfers.Costs.Each(func(k cost.Key, e cost.Estimate) { t.Errorf("%+v is estimated as %+v", k, e) })
	})
}
