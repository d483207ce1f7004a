package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"

	"github.com/balerhq/baler/internal/testkit"
)

func TestClaimBatch(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 3)
		one := b.batch(t, tr.ID, "1-3")
		pickup := func(lost bool, delivery, dead int, retaken bool) *tasks.Batch {
			t.Helper()
			h, err := claim(t.Context(), b.Store, one.ID, lost)
			if err != nil || h.FencingToken != delivery || h.Crashes != dead || h.Redelivered != retaken || h.Files.String() != "1-3" {
				t.Errorf("picked up %+v, %v; want delivery %d, lost %d", h, err, delivery, dead)
			}
			return &h.Batch
		}
		first := pickup(false, 0, 0, false)
		second := pickup(true, 1, 1, true)
		third := pickup(false, 2, 1, true) // the queue has forgotten; the ledger has not
		if err := b.ReleaseBatch(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if due := b.due(t); len(due) > 0 {
			t.Errorf("handed back by one who does not hold it: %+v", due)
		}
		if err := b.ReleaseBatch(t.Context(), third); err != nil {
			t.Fatal(err)
		}
		if due := b.due(t); len(due) != 1 {
			t.Errorf("not due after it was handed back: %+v", due)
		}
		for _, stale := range []*tasks.Batch{first, second, third} {
			rec := &ledger.BatchCompletion{Batch: stale, Results: results(stale, tasks.OutcomeFailed, 1)}
			_, err := b.recordOne(t, rec)
			wantErr(t, err, ledger.ErrLeaseLost)
			wantErr(t, b.SplitBatch(t.Context(), stale, []tasks.Batch{newBatch(t, tr.ID, 1, "1")}), ledger.ErrLeaseLost)
		}
		last := pickup(false, 4, 1, true)
		b.record(t, &ledger.BatchCompletion{Batch: last, Results: results(last, tasks.OutcomeSucceeded, 1, 2, 3), FollowUp: finishing(last)})
		_, err := claim(t.Context(), b.Store, one.ID, false)
		wantErr(t, err, ledger.ErrLeaseLost)
	})
}

// claim claims a batch as a worker does that received its message.
func claim(ctx context.Context, s *Store, id int64, lost bool) (ledger.Claim, error) {
	c, err := s.FindBatch(ctx, id)
	if err == nil {
		err = s.ClaimBatch(ctx, &c, "claimer", lost)
	}
	return c, err
}

// Of many that take a batch over at once, one gets it; the others leave the batch as it
// is, and hear that they should ask again.
func TestTakeOverAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		one := b.batch(t, tr.ID, "1")
		found, err := b.FindBatch(t.Context(), one.ID)
		if err != nil {
			t.Fatal(err)
		}
		var taken atomic.Int64
		testkit.AtOnce(t, 6, func(i int) error {
			c := found
			err := b.ClaimBatch(t.Context(), &c, fmt.Sprint("worker-", i), true)
			switch {
			case err == nil && c.FencingToken == 1 && c.Redelivered:
				taken.Add(1)
			case !errors.Is(err, ledger.ErrClaimed) || c.FencingToken != 0:
				return fmt.Errorf("claimed as %+v: %w", c, err)
			}
			return nil
		})
		if taken.Load() != 1 {
			t.Errorf("%d workers took the batch over, want 1", taken.Load())
		}
	})
}

// While a worker reports that it runs a batch, the batch does not count as lost, whatever
// lease the queue has.
func TestHeldBatchIsNotLost(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 2)
		held, other := b.batch(t, tr.ID, "1"), b.batch(t, tr.ID, "2")
		hold := func() {
			t.Helper()
			if err := b.HoldBatches(t.Context(), "alive", []tasks.Batch{*held, {ID: other.ID, FencingToken: 5}}); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			hold()
			b.clock.Advance(holdTime - time.Second)
			found, err := b.FindBatch(t.Context(), held.ID)
			if err != nil {
				t.Fatal(err)
			}
			wantErr(t, b.ClaimBatch(t.Context(), &found, "eager", true), ledger.ErrClaimed)
			found.HeldUntil = time.Time{} // read before it was held
			wantErr(t, b.ClaimBatch(t.Context(), &found, "eager", true), ledger.ErrClaimed)
			if due := b.due(t); len(due) != 1 || due[0].ID != other.ID { // its token is another
				t.Errorf("due are %v, want %d", ids(due), other.ID)
			}
			if all, _, err := b.BatchesAfter(t.Context(), 0, 9); err != nil || len(all) != 1 {
				t.Errorf("%v without a holder, %v", ids(all), err)
			}
		}
		b.clock.Advance(time.Second)
		if due := b.due(t); len(due) != 2 {
			t.Errorf("due are %v after the worker was silent", ids(due))
		}
		found, err := claim(t.Context(), b.Store, held.ID, true)
		if err != nil || found.Crashes != 1 || !found.Redelivered {
			t.Errorf("claimed %+v, %v", found, err)
		}
		_, err = b.FindBatch(t.Context(), held.ID)
		if err != nil || len(b.due(t)) != 1 {
			t.Errorf("it is held by the next one: %v, %v", ids(b.due(t)), err)
		}
		if err := b.ReleaseBatch(t.Context(), &found.Batch); err != nil || len(b.due(t)) != 2 {
			t.Errorf("handed back: %v, %v", ids(b.due(t)), err)
		}
		hold() // by one who lost it
		if len(b.due(t)) != 2 {
			t.Errorf("held by one who lost it: %v", ids(b.due(t)))
		}
	})
}

// Claiming a batch that is no longer in the ledger.
func TestHasRun(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 4)
		one, other := b.batch(t, tr.ID, "1-3"), b.batch(t, tr.ID, "4")
		b.record(t, &ledger.BatchCompletion{
			Batch: one, Results: results(one, tasks.OutcomeSucceeded, 1), FailedAttempts: results(one, tasks.OutcomeError, 2), FollowUp: finishing(one),
		})
		for _, test := range []struct {
			batch int64
			step  int
			files string
			want  bool
		}{
			{one.ID, 1, "1-3", true}, {one.ID, 1, "1", true}, {one.ID, 1, "2", true}, {one.ID, 1, "4", false},
			{one.ID, 2, "1-3", false}, {other.ID, 1, "1-4", false}, {4711, 1, "1-4", false},
		} {
			files, err := tasks.ParseRanges(test.files)
			if err != nil {
				t.Fatal(err)
			}
			if ran, err := b.HasRun(t.Context(), test.batch, tr.ID, test.step, files); err != nil || ran != test.want {
				t.Errorf("batch %d, step %d, files %s: %v, %v", test.batch, test.step, test.files, ran, err)
			}
		}
		if ran, err := b.HasRun(t.Context(), one.ID, tr.ID, 1, nil); err != nil || ran {
			t.Errorf("without files: %v, %v", ran, err)
		}
	})
}

func TestSplitKeepsWhatIsRecorded(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 6)
		if _, err := b.Seal(t.Context(), tr.ID); err != nil {
			t.Fatal(err)
		}
		one := b.batch(t, tr.ID, "1-6")
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeWarning, 2, 5)})
		parts := []tasks.Batch{newBatch(t, tr.ID, 1, "1-3"), newBatch(t, tr.ID, 1, "4-6")}
		for i := range parts {
			parts[i].Attempt, parts[i].FencingToken = 2, 1
		}
		if err := b.SplitBatch(t.Context(), one, parts); err != nil {
			t.Fatal(err)
		}
		if open, err := b.OpenBatches(t.Context(), tr.ID); err != nil || !slices.Equal(ids(open), ids(parts)) || open[0].Attempt != 2 || open[1].FencingToken != 1 {
			t.Fatalf("open %+v, %v", open, err)
		}
		wantErr(t, b.SplitBatch(t.Context(), one, []tasks.Batch{newBatch(t, tr.ID, 1, "1")}), ledger.ErrLeaseLost)
		for i, mine := range []int64{2, 5} {
			recorded, err := b.Recorded(t.Context(), tr.ID, 1, parts[i].Files)
			if err != nil || len(recorded) != 1 || recorded[0].File != mine || recorded[0].Batch != parts[i].ID {
				t.Errorf("recorded in part %d: %+v, %v", i, recorded, err)
			}
			var rest []int64
			for f := range parts[i].Files.All() {
				if f != mine {
					rest = append(rest, f)
				}
			}
			// Files that the larger batch had recorded are not recorded again.
			b.record(t, &ledger.BatchCompletion{Batch: &parts[i], Results: results(&parts[i], tasks.OutcomeSucceeded, rest...), FollowUp: finishing(&parts[i])})
		}
		b.checkCounters(t.Context(), t, tr.ID)
		if read := b.read(t, tr.ID); read.State != tasks.StateCompleted || read.Steps[0].Warning != 2 || read.Steps[0].Succeeded != 4 {
			t.Errorf("%+v", read)
		}
	})
}

// A run without a known end counts as a crash; a released one does not.
func TestCountCrash(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		one := b.batch(t, tr.ID, "1")
		takeBack := func() *tasks.Batch {
			t.Helper()
			if err := b.ReclaimBatches(t.Context(), []int64{one.ID}, time.Minute); err != nil {
				t.Fatal(err)
			}
			h, err := claim(t.Context(), b.Store, one.ID, false)
			if err != nil || !h.Redelivered {
				t.Fatalf("picked up %+v, %v", h, err)
			}
			return &h.Batch
		}
		first := takeBack()
		second := takeBack()
		if second.Crashes != 1 {
			t.Errorf("lost twice beside other files, and counted as its crash: %+v", second)
		}
		wantErr(t, b.CountCrash(t.Context(), first, "claimer"), ledger.ErrLeaseLost)
		if err := b.CountCrash(t.Context(), second, "claimer"); err != nil || second.Crashes != 2 {
			t.Fatalf("charged to %+v, %v", second, err)
		}
		third := takeBack()
		if third.Crashes != 2 {
			t.Errorf("lost alone, and not charged: %+v", third)
		}
		if err := b.CountCrash(t.Context(), third, "claimer"); err != nil {
			t.Fatal(err)
		}
		third.Crashes-- // its worker lives
		if err := b.ReleaseBatch(t.Context(), third); err != nil {
			t.Fatal(err)
		}
		if fourth := takeBack(); fourth.Crashes != 2 {
			t.Errorf("handed back, and charged: %+v", fourth)
		}
	})
}

// Of two workers that have read a batch in the same state, one takes it over. The crashes of a batch
// that crashed before are kept when one more worker dies: by them it is known which file does it.
func TestTakeOverOfACrashedBatch(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		batch := b.batch(t, tr.ID, "1")
		testkit.Must(t, b.db.Exec("UPDATE batches SET crashes = 2 WHERE id = ?", batch.ID).Error)
		one, err := b.FindBatch(t.Context(), batch.ID)
		testkit.Must(t, err)
		two, err := b.FindBatch(t.Context(), batch.ID)
		testkit.Must(t, err)
		testkit.Must(t, b.ClaimBatch(t.Context(), &one, "one", true))
		if one.Crashes != 2 {
			t.Errorf("%d crashes are left of 2", one.Crashes)
		}
		b.clock.Advance(holdTime + time.Second) // nobody holds it any more
		wantErr(t, b.ClaimBatch(t.Context(), &two, "two", true), ledger.ErrClaimed)
		three, err := b.FindBatch(t.Context(), batch.ID)
		testkit.Must(t, err)
		testkit.Must(t, b.ClaimBatch(t.Context(), &three, "three", false)) // the ledger says that it may have run
		if three.FencingToken != one.FencingToken+1 || three.Crashes != 2 || !three.Redelivered {
			t.Errorf("claimed %+v", three)
		}
	})
}

// A worker says that it runs a batch, and dies before anything is recorded: the next one takes it
// over, also when the queue has not noticed.
func TestTakeOverOfAHeldBatch(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		batch := b.batch(t, tr.ID, "1")
		testkit.Must(t, b.HoldBatches(t.Context(), "dead", []tasks.Batch{*batch}))
		b.clock.Advance(holdTime + time.Second)
		found, err := b.FindBatch(t.Context(), batch.ID)
		testkit.Must(t, err)
		testkit.Must(t, b.ClaimBatch(t.Context(), &found, "next", false))
		if found.FencingToken != batch.FencingToken+1 || !found.Redelivered {
			t.Errorf("claimed %+v", found)
		}
	})
}
