package dispatch

import (
	"testing"
	"time"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

func TestDecideGathering(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	policy := tasks.BatchPolicy{MaxItems: 100, MaxBytes: 1000, MaxDelay: time.Second, Target: time.Minute}
	tenSecondsEach := cost.Estimate{Cost: cost.Cost{PerFile: 10}, Known: true, Seconds: 1000}
	fresh := ledger.Gathering{State: tasks.StateRunning, Items: 5, Bytes: 10, Since: now}
	with := func(change func(*ledger.Gathering)) ledger.Gathering {
		g := fresh
		change(&g)
		return g
	}
	for name, c := range map[string]struct {
		g        ledger.Gathering
		estimate cost.Estimate
		want     gathered
	}{
		"few and new":               {g: fresh, want: gatherNothing},
		"almost the delay":          {g: with(func(g *ledger.Gathering) { g.Since = now.Add(1 - time.Second) }), want: gatherNothing},
		"the delay":                 {g: with(func(g *ledger.Gathering) { g.Since = now.Add(-time.Second) }), want: gatherAll},
		"enough items":              {g: with(func(g *ledger.Gathering) { g.Items = 100 }), want: gatherFull},
		"enough bytes":              {g: with(func(g *ledger.Gathering) { g.Bytes = 1000 }), want: gatherFull},
		"enough work":               {g: with(func(g *ledger.Gathering) { g.Items = 6 }), estimate: tenSecondsEach, want: gatherFull},
		"not enough work":           {g: fresh, estimate: tenSecondsEach, want: gatherNothing},
		"no more can come":          {g: with(func(g *ledger.Gathering) { g.Complete = true }), want: gatherAll},
		"the transfer was canceled": {g: with(func(g *ledger.Gathering) { g.State = tasks.StateCanceled }), want: gatherAll},
	} {
		t.Run(name, func(t *testing.T) {
			budget := batcher.NewBudget(c.estimate, policy.Target, batcher.Remaining{}, 0)
			if !c.estimate.Known {
				budget = batcher.Budget{}
			}
			if got := decideGathering(c.g, policy, budget, now); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestKeepLast(t *testing.T) {
	policy := tasks.BatchPolicy{MaxItems: 2}
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	batch := func(files ...int64) tasks.Batch { return tasks.Batch{Files: tasks.NewRanges(files)} }
	for name, c := range map[string]struct {
		batches []tasks.Batch
		kept    bool
	}{
		"the last has room":    {[]tasks.Batch{batch(1, 2), batch(3)}, true},
		"the last is full":     {[]tasks.Batch{batch(1, 2), batch(3, 4)}, false},
		"the last is the only": {[]tasks.Batch{batch(1)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			keepLast(c.batches, ledger.Gathering{Since: since}, policy, batcher.Budget{})
			last := c.batches[len(c.batches)-1]
			if last.Gathering != c.kept || c.kept && !last.NotBefore.Equal(since) {
				t.Errorf("the last batch is %+v, kept should be %v", last, c.kept)
			}
			if sent := withoutGathering(c.batches); c.kept && len(sent) != len(c.batches)-1 {
				t.Errorf("sent %d of %d", len(sent), len(c.batches))
			}
		})
	}
}
