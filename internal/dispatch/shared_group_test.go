package dispatch

import (
	"context"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/batcher"
	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

func threeSlots() Workers {
	return Workers{Capacity: func(context.Context, string) (int, error) { return 3, nil }}
}

// Nine slow files that were collected together give each of three slots three files, like
// those of a bulk transfer, whether their cost is known or not.
func TestSlotsShareFilesOfAGroup(t *testing.T) {
	for _, known := range []bool{false, true} {
		f := newFake()
		planner := f.planner(tasks.BatchPolicy{MaxItems: 100})
		planner.Workers = threeSlots()
		want := 3
		if known {
			want = 6 // short ones last
			planner.Transfers.Costs = cost.NewModel("me", time.Now)
			planner.Transfers.Costs.Observe(cost.Key{Handler: "noop"}, 10, 0, 10*time.Second)
		}
		a := batcher.NewAggregator(t.Context(), batcher.AggregatorOptions{Store: f, Queue: f, Transfers: planner})
		var ts []*asynq.Task
		for no := range int64(9) {
			ts = append(ts, fileTask(1, 1, no+1))
		}
		a.Aggregate("noop:00", ts)
		if files := cutFiles(f, 1); len(f.batches) < want || files != 9 {
			t.Errorf("cost known %v: %d files in %d batches, want at least %d: %+v", known, files, len(f.batches), want, f.batches)
		}
		for _, b := range f.batches {
			if b.Items() > 3 {
				t.Errorf("cost known %v: a batch has %d files, more than a third", known, b.Items())
			}
		}
	}
}

// A limit on files per second bounds the batches of files by group too.
func TestLimitBoundsBatchesOfAGroup(t *testing.T) {
	f := newFake()
	planner := f.planner(tasks.BatchPolicy{MaxItems: 100})
	planner.Workers.Limits = func(*TransferPlan, int) (int, float64) { return 0, 4 }
	batches, _, err := planner.PlanFiles(t.Context(), 1, 1, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9})
	if err != nil || len(batches) != 3 || batches[0].Items() != 4 {
		t.Errorf("batches %+v, %v", batches, err)
	}
}

// Files that the queue has lost are shared among the slots, too.
func TestSlotsShareFilesThatTheQueueLost(t *testing.T) {
	f := newFake()
	f.backlogs = []ledger.Backlog{{Transfer: 1, Via: tasks.ViaGroup, Files: 9, SweepMark: 9, MarkedAt: time.Now().Add(-time.Hour)}}
	d := newTestDispatcher(f, Options{Workers: threeSlots()})
	if _, err := d.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(f.batches) != 3 || f.batches[0].Items() != 3 || f.backlogs[0].Cursor != 9 {
		t.Errorf("the sweep made %+v", f.batches)
	}
}
