package store

import (
	"errors"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// gathering writes a gathering batch of step 2.
func (b *env) gathering(t *testing.T, transfer int64, files string, notBefore time.Time) {
	t.Helper()
	ranges, err := tasks.ParseRanges(files)
	testkit.Must(t, err)
	testkit.Must(t, b.AddBatches(t.Context(), []tasks.Batch{{
		Transfer: transfer, Step: 2, Attempt: 1, Queue: "baler", Files: ranges, Bytes: 7, Gathering: true, NotBefore: notBefore,
	}}))
}

func (b *env) gatherings(t *testing.T) []ledger.Gathering {
	t.Helper()
	gs, err := b.Gatherings(t.Context(), 10)
	testkit.Must(t, err)
	return gs
}

func TestGatherings(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 20)
		first := b.batch(t, tr.ID, "1-5")
		b.gathering(t, tr.ID, "6-8", time.Time{})
		begun := b.clock.Now()
		b.clock.Advance(time.Second)
		b.gathering(t, tr.ID, "10", time.Time{})
		b.gathering(t, tr.ID, "11", b.clock.Now().Add(time.Minute)) // not yet

		one := func(when string, complete bool, items int) ledger.Gathering {
			t.Helper()
			gs := b.gatherings(t)
			if len(gs) != 1 {
				t.Fatalf("%s: %+v, want one", when, gs)
			}
			if g := gs[0]; g.Transfer != tr.ID || g.Step != 2 || g.Attempt != 1 || g.Complete != complete || g.Items != items || !g.Since.Equal(begun) {
				t.Errorf("%s: %+v, want %d files since %s, complete %v", when, g, items, begun, complete)
			}
			return gs[0]
		}
		g := one("open", false, 4)
		if g.Batches != 2 || g.Bytes != 14 {
			t.Errorf("%+v, want two batches of 14 bytes", g)
		}
		_, err := b.Seal(t.Context(), tr.ID)
		testkit.Must(t, err)
		one("files are not dispatched", false, 4)
		_, err = b.CommitDispatch(t.Context(), ledger.Dispatch{Transfer: tr.ID, To: 20})
		testkit.Must(t, err)
		one("a batch of the first step is open", false, 4)
		testkit.Must(t, b.db.Exec("DELETE FROM batches WHERE id = ?", first.ID).Error)
		one("a gathering batch is not ready", false, 4)
		b.clock.Advance(time.Minute)
		one("nothing can join them", true, 5)

		paused, err := b.Pause(t.Context(), tr.ID)
		testkit.Must(t, err)
		if gs := b.gatherings(t); !paused || len(gs) != 0 {
			t.Errorf("paused: %+v, want none", gs)
		}
	})
}

// Gathering batches are in no queue: nothing sends or claims them as they are.
func TestGatheringBatchesAreNotSent(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 20)
		b.gathering(t, tr.ID, "6-8", time.Time{})
		b.clock.Advance(time.Hour)
		if due := b.due(t); len(due) != 0 {
			t.Errorf("due: %+v", due)
		}
		after, _, err := b.BatchesAfter(t.Context(), 0, 10)
		testkit.Must(t, err)
		open, err := b.OpenBatches(t.Context(), tr.ID)
		testkit.Must(t, err)
		if len(after) != 0 || len(open) != 1 {
			t.Fatalf("to reconcile: %+v; open: %+v", after, open)
		}
		if _, err := b.FindBatch(t.Context(), open[0].ID); !errors.Is(err, ledger.ErrLeaseLost) {
			t.Errorf("claimed: %v", err)
		}
		backlogs, err := b.Backlogs(t.Context(), 0, 10)
		testkit.Must(t, err)
		if len(backlogs) != 1 || backlogs[0].Open != 0 {
			t.Errorf("%+v, want no batch that takes room of the window", backlogs)
		}
	})
}

// Of two dispatchers that gather the same batches, one does.
func TestOneOfTwoGathers(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 20)
		b.gathering(t, tr.ID, "6-8", time.Time{})
		b.gathering(t, tr.ID, "10", time.Time{})
		parts, err := b.GatheringBatches(t.Context(), b.gatherings(t)[0], 10)
		testkit.Must(t, err)
		c := ledger.Gathered{
			Replaced: []int64{parts[0].ID, parts[1].ID},
			Batches: []tasks.Batch{{
				Transfer: tr.ID, Step: 2, Attempt: 1, Queue: "baler", Files: tasks.NewRanges([]int64{6, 7, 8, 10}),
			}},
		}
		testkit.Must(t, b.CommitGathered(t.Context(), c))
		if err := b.CommitGathered(t.Context(), c); !errors.Is(err, ledger.ErrCursorMoved) {
			t.Errorf("gathered twice: %v, want ErrCursorMoved", err)
		}
		// Nor does it what is sent by now, whoever sent it.
		if err := b.CommitGathered(t.Context(), ledger.Gathered{Replaced: []int64{c.Batches[0].ID}}); !errors.Is(err, ledger.ErrCursorMoved) {
			t.Errorf("gathered a batch that is sent: %v, want ErrCursorMoved", err)
		}
		open, err := b.OpenBatches(t.Context(), tr.ID)
		testkit.Must(t, err)
		if len(open) != 1 || open[0].Gathering || open[0].Files.String() != "6-8,10" {
			t.Errorf("left: %+v", open)
		}
	})
}
