package dispatch

import (
	"cmp"
	"math"
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
			if got, _ := decideGathering(c.g, policy, budget, 0, now); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// A step with a limit has no more batches in the queue than keep the limit used: the others
// wait in the ledger.
func TestDecideGatheringWithinALimit(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	policy := tasks.BatchPolicy{MaxItems: 10, MaxDelay: time.Second}
	due := ledger.Gathering{State: tasks.StateRunning, Batches: 40, Items: 100, Since: now.Add(-time.Minute)}
	for name, c := range map[string]struct {
		sent, ahead int
		state       tasks.State
		want        gathered
		room        int
	}{
		"no limit":          {sent: 50, want: gatherAll, room: math.MaxInt},
		"nothing is sent":   {ahead: 3, want: gatherAll, room: 3},
		"some are sent":     {sent: 2, ahead: 3, want: gatherAll, room: 1},
		"all are sent":      {sent: 3, ahead: 3, want: gatherNothing},
		"the limit is less": {sent: 9, ahead: 3, want: gatherNothing},
		"canceled":          {sent: 9, ahead: 3, state: tasks.StateCanceled, want: gatherAll, room: math.MaxInt},
	} {
		t.Run(name, func(t *testing.T) {
			g := due
			g.Sent, g.State = c.sent, cmp.Or(c.state, g.State)
			if got, room := decideGathering(g, policy, batcher.Budget{}, c.ahead, now); got != c.want || room != c.room {
				t.Errorf("got %d with room for %d, want %d and %d", got, room, c.want, c.room)
			}
		})
	}
}

func TestBatchesAheadWithinLimits(t *testing.T) {
	for name, c := range map[string]struct {
		slots, inFlight int
		rate            float64
		want, ahead     int
	}{
		"none":                 {slots: 8, want: 8},
		"fewer than slots":     {slots: 8, inFlight: 2, want: 2, ahead: 3},
		"as many as slots":     {slots: 8, inFlight: 8, want: 8},
		"more than slots":      {slots: 8, inFlight: 20, want: 8},
		"slots unknown":        {inFlight: 2, want: 2, ahead: 3},
		"rate":                 {slots: 8, rate: 50, want: 8, ahead: 4},
		"rate, slots unknown":  {rate: 50, ahead: 2},
		"rate and a low limit": {slots: 8, inFlight: 1, rate: 50, want: 1, ahead: 2},
	} {
		t.Run(name, func(t *testing.T) {
			before := capacity{slots: c.slots, policy: func(int) tasks.BatchPolicy { return tasks.BatchPolicy{} }}
			if got := before.within(c.inFlight, c.rate); got.slots != c.want || got.ahead != c.ahead {
				t.Errorf("%d slots and %d ahead, want %d and %d", got.slots, got.ahead, c.want, c.ahead)
			}
		})
	}
}

// As few of the waiting batches are read as fill the batches for which there is room, and those
// beyond it go on waiting.
func TestGatherNoMoreThanThereIsRoomFor(t *testing.T) {
	g := ledger.Gathering{Batches: 40, Items: 100, Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	for _, c := range []struct{ items, room, want int }{{10, math.MaxInt, batchesPerGathering}, {10, 1, 6}, {10, 2, 12}, {1, 3, 3}} {
		if got := partsFor(g, tasks.BatchPolicy{MaxItems: c.items}, c.room); got != c.want {
			t.Errorf("%+v: reads %d", c, got)
		}
	}
	batches := make([]tasks.Batch, 3)
	keepBeyond(batches, g, 2)
	if batches[0].Gathering || batches[1].Gathering || !batches[2].Gathering || !batches[2].NotBefore.Equal(g.Since) {
		t.Errorf("the batches are %+v", batches)
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
