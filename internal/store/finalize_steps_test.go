package store

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"

	"github.com/balerhq/baler/internal/testkit"
)

func TestFinalStepsRunInOrderAndThenItCompletes(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.finalizing(t, 3, 3)
		b.wantStates(t, tr, "finalizing a:waiting/0 b:waiting/0 c:waiting/0")
		b.wantNotes(t, tr, 0)
		if read := b.read(t, tr.ID); !read.EndedAt.IsZero() {
			t.Errorf("it has ended: %+v", read)
		}
		events := make(map[string]bool)
		for no := 1; no <= 3; no++ {
			c := b.take(t, no)
			events[c.Event] = true
			if len(b.dueClosing(t)) > 0 {
				t.Error("another is due beside it")
			}
			if completed := b.endClosing(t, c, tasks.FinalizeDone, ""); completed != (no == 3) {
				t.Errorf("step %d completed the transfer: %v", no, completed)
			}
		}
		if len(events) != 3 || events[""] {
			t.Errorf("events are %v", events)
		}
		b.wantStates(t, tr, "completed a:done/1 b:done/1 c:done/1")
		b.wantNotes(t, tr, 1)
		if read := b.read(t, tr.ID); read.EndedAt.IsZero() {
			t.Error("it has no end")
		}
	})
}

// Batches that end at the same time: one of them lets the final steps begin.
func TestFinalStepsBeginOnce(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		const batches = 12
		tr := b.withFinalSteps(t, batches, 2)
		var open []*tasks.Batch
		for i := range batches {
			open = append(open, b.batch(t, tr.ID, strconv.Itoa(i+1)))
		}
		testkit.AtOnce(t, batches+2, func(i int) error {
			if i >= batches {
				completed, err := b.Seal(t.Context(), tr.ID)
				if completed {
					err = errors.Join(err, errors.New("completed without its final steps"))
				}
				return err
			}
			rec := &ledger.BatchCompletion{Batch: open[i], Results: results(open[i], tasks.OutcomeSucceeded, int64(i)+1), FollowUp: finishing(open[i])}
			result, err := b.recordOne(t, rec)
			if result.Completed {
				err = errors.Join(err, errors.New("completed without its final steps"))
			}
			return err
		})
		b.wantStates(t, tr, "finalizing a:waiting/0 b:waiting/0")
		if n := b.count(t, "finalize_steps", "fencing_token <> 1"); n > 0 {
			t.Errorf("%d steps were begun more than once", n)
		}
		// Workers that look at the same time: one takes it.
		due := b.dueClosing(t)[0]
		var mu sync.Mutex
		taken := 0
		testkit.AtOnce(t, 8, func(int) error {
			mine := due
			ok, err := b.ClaimFinalizeStep(t.Context(), &mine, finalizeLease)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				taken++
			}
			return err
		})
		if taken != 1 {
			t.Errorf("%d took it", taken)
		}
	})
}

// A worker dies or freezes: when its lease has ended another takes over, and
// what the first still says is refused.
func TestFinalStepIsTakenOverAndItsFormerHolderRefused(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.finalizing(t, 1, 1)
		frozen := b.take(t, 1)
		b.clock.Advance(finalizeLease - time.Second)
		far := tasks.Progress{Items: 3, OfItems: 5, Unit: "files"}
		if err := b.RenewFinalizeStep(t.Context(), frozen, far, finalizeLease); err != nil {
			t.Fatal(err)
		}
		if got := b.read(t, tr.ID).Finalizers[0].Progress; got != far {
			t.Errorf("progress %+v", got)
		}
		b.clock.Advance(finalizeLease - time.Second)
		if due := b.dueClosing(t); len(due) > 0 {
			t.Errorf("taken away before its lease ended: %+v", due)
		}
		b.clock.Advance(time.Second)
		other := b.take(t, 1)
		if other.Event != frozen.Event || other.Attempts != 2 {
			t.Errorf("another run: %+v after %+v", other, frozen)
		}
		if got := b.read(t, tr.ID).Finalizers[0].Progress; got != (tasks.Progress{}) {
			t.Errorf("progress of the lost attempt: %+v", got)
		}
		_, err := b.FinishFinalizeStep(t.Context(), frozen, ledger.FinalizeOutcome{State: tasks.FinalizeDone})
		wantErr(t, err, ledger.ErrLeaseLost)
		wantErr(t, b.RenewFinalizeStep(t.Context(), frozen, tasks.Progress{}, finalizeLease), ledger.ErrLeaseLost)
		wantErr(t, b.ReleaseFinalizeStep(t.Context(), frozen), ledger.ErrLeaseLost)
		b.wantStates(t, tr, "finalizing a:running/2")
		if !b.endClosing(t, other, tasks.FinalizeDone, "") {
			t.Error("not completed")
		}
		_, err = b.FinishFinalizeStep(t.Context(), other, ledger.FinalizeOutcome{State: tasks.FinalizeFailed}) // as when the first answer was lost
		wantErr(t, err, ledger.ErrLeaseLost)
		b.wantStates(t, tr, "completed a:done/2")
		b.wantNotes(t, tr, 1)
	})
}

func TestFailedFinalStepDoesNotStopOthers(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.finalizing(t, 1, 2)
		b.endClosing(t, b.take(t, 1), tasks.FinalizeWaiting, "disk full")
		b.wantStates(t, tr, "finalizing a:waiting/1(disk full) b:waiting/0")
		if due := b.dueClosing(t); len(due) > 0 {
			t.Errorf("due at once: %+v", due)
		}
		b.clock.Advance(time.Minute)
		b.endClosing(t, b.take(t, 1), tasks.FinalizeFailed, "disk full")
		if !b.endClosing(t, b.take(t, 2), tasks.FinalizeDone, "") {
			t.Error("not completed")
		}
		b.wantStates(t, tr, "completed a:failed/2(disk full) b:done/1")

		if n, err := b.RetryFinalizeSteps(t.Context(), tr.ID); err != nil || n != 1 {
			t.Fatalf("retried %d, %v", n, err)
		}
		b.wantStates(t, tr, "finalizing a:waiting/0 b:done/1")
		if n, err := b.RetryFinalizeSteps(t.Context(), tr.ID); err != nil || n != 0 {
			t.Errorf("retried %d, %v", n, err)
		}
		if !b.endClosing(t, b.take(t, 1), tasks.FinalizeDone, "") {
			t.Error("not completed again")
		}
		b.wantStates(t, tr, "completed a:done/1 b:done/1")
		b.wantNotes(t, tr, 2)
	})
}

func TestFinalStepsRunAgainAfterARetry(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.withFinalSteps(t, 2, 2)
		b.end(t, tr, "1", tasks.OutcomeSucceeded)
		b.end(t, tr, "2", tasks.OutcomeFailed)
		if _, err := b.Seal(t.Context(), tr.ID); err != nil {
			t.Fatal(err)
		}
		first := b.take(t, 1)
		b.endClosing(t, first, tasks.FinalizeDone, "")
		held := b.take(t, 2)

		retry := func() {
			t.Helper()
			k := RetryRequest{
				Transfer: tr.ID, Filter: tasks.ResultSelector{Outcomes: []tasks.Outcome{tasks.OutcomeFailed, tasks.OutcomeSucceeded}, File: 2}, Limit: 10,
				StopsRecipe: func(int, tasks.Outcome) bool { return false }, // as for a running transfer's file whose place is not known
				Cut: func(step int, _ []tasks.File) []tasks.Batch {
					return []tasks.Batch{newBatch(t, tr.ID, step, "2")}
				},
			}
			done, err := b.RetryFiles(t.Context(), k)
			if err != nil || done.Files != 1 {
				t.Fatalf("retried %+v, %v", done, err)
			}
			open, err := b.OpenBatches(t.Context(), tr.ID)
			if err != nil || len(open) != 1 {
				t.Fatalf("%+v, %v", open, err)
			}
			b.wantStates(t, tr, "running a:waiting/0 b:waiting/0")
			if due := b.dueClosing(t); len(due) > 0 {
				t.Errorf("due while files run: %+v", due)
			}
			b.record(t, &ledger.BatchCompletion{Batch: &open[0], Results: results(&open[0], tasks.OutcomeSucceeded, 2), FollowUp: finishing(&open[0])})
			b.wantStates(t, tr, "finalizing a:waiting/0 b:waiting/0")
		}
		retry() // in the middle of its final steps
		wantErr(t, b.RenewFinalizeStep(t.Context(), held, tasks.Progress{}, finalizeLease), ledger.ErrLeaseLost)
		again := b.take(t, 1)
		if again.Event == first.Event {
			t.Error("the same event for another end")
		}
		b.endClosing(t, again, tasks.FinalizeDone, "")
		b.endClosing(t, b.take(t, 2), tasks.FinalizeDone, "")
		b.wantStates(t, tr, "completed a:done/1 b:done/1")
		retry() // after its end
		b.endClosing(t, b.take(t, 1), tasks.FinalizeDone, "")
		b.endClosing(t, b.take(t, 2), tasks.FinalizeDone, "")
		b.wantStates(t, tr, "completed a:done/1 b:done/1")
		b.wantNotes(t, tr, 3) // two ends, and its first failure
		b.checkCounters(t.Context(), t, tr.ID)
	})
}

func TestCancelWhileFinalizing(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.finalizing(t, 1, 3)
		b.endClosing(t, b.take(t, 1), tasks.FinalizeDone, "")
		held := b.take(t, 2)
		if canceled, err := b.Cancel(t.Context(), tr.ID); err != nil || !canceled {
			t.Fatalf("canceled %v, %v", canceled, err)
		}
		b.wantStates(t, tr, "canceled a:done/1 b:canceled/1 c:canceled/0")
		wantErr(t, b.RenewFinalizeStep(t.Context(), held, tasks.Progress{}, finalizeLease), ledger.ErrLeaseLost)
		_, err := b.FinishFinalizeStep(t.Context(), held, ledger.FinalizeOutcome{State: tasks.FinalizeDone})
		wantErr(t, err, ledger.ErrLeaseLost)
		b.clock.Advance(time.Hour)
		if due := b.dueClosing(t); len(due) > 0 {
			t.Errorf("due after the end: %+v", due)
		}
		b.wantNotes(t, tr, 1)
	})
}

func TestReleasedFinalStepIsNotCharged(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.finalizing(t, 1, 1)
		c := b.take(t, 1)
		if err := b.ReleaseFinalizeStep(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		b.wantStates(t, tr, "finalizing a:waiting/0")
		if c = b.take(t, 1); c.Attempts != 1 {
			t.Errorf("try %d", c.Attempts)
		}
	})
}

func TestFinalStepsOfAPausedTransferWait(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.finalizing(t, 1, 1)
		if paused, err := b.Pause(t.Context(), tr.ID); err != nil || !paused {
			t.Fatalf("paused %v, %v", paused, err)
		}
		if due := b.dueClosing(t); len(due) > 0 {
			t.Errorf("due while paused: %+v", due)
		}
		if resumed, err := b.Resume(t.Context(), tr.ID); err != nil || !resumed {
			t.Fatalf("resumed %v, %v", resumed, err)
		}
		b.take(t, 1)
	})
}

func TestFinalStepsRunWhereTheirHandlersAre(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		b.finalizing(t, 1, 1)
		for _, w := range []ledger.FinalizeQuery{{Limit: 9}, {Handlers: []string{"close-b"}, Limit: 9}, {Handlers: []string{"close-a"}, RunKey: "x", Limit: 9}} {
			if due, err := b.DueFinalizeSteps(t.Context(), w); err != nil || len(due) > 0 {
				t.Errorf("%+v: %+v, %v", w, due, err)
			}
		}
		b.take(t, 1)
	})
}

func TestOldMessagesArePurged(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		old, waiting := b.finalizing(t, 1, 0), b.finalizing(t, 1, 0)
		note, err := b.Webhooks(t.Context(), old.ID)
		if err != nil || len(note) != 1 {
			t.Fatalf("%+v, %v", note, err)
		}
		if err := b.FinishWebhook(t.Context(), note[0].ID, "", 0); err != nil {
			t.Fatal(err)
		}
		b.clock.Advance(webhooksKept)
		young := b.finalizing(t, 1, 0)
		if note, err = b.Webhooks(t.Context(), young.ID); err == nil {
			err = b.FinishWebhook(t.Context(), note[0].ID, "", 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		purge := func() {
			t.Helper()
			if more, err := b.PurgeWebhooks(t.Context()); err != nil || more {
				t.Fatalf("more %v, %v", more, err)
			}
		}
		purge()
		b.wantNotes(t, old, 1) // not a moment too early
		b.clock.Advance(time.Second)
		purge()
		b.wantNotes(t, old, 0)
		b.wantNotes(t, waiting, 1)
		b.wantNotes(t, young, 1)
	})
}
