package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// ended registers a transfer of a run with n files that all have a result, and ends it.
func (b *env) ended(t *testing.T, runKey string, n int, outcome tasks.Outcome) tasks.Transfer {
	t.Helper()
	tr, _, err := b.Create(t.Context(), NewTransfer{
		Via: tasks.ViaBulk, Queue: "q", RunKey: runKey, Name: "old", Steps: []tasks.StepProgress{{Number: 1, Name: "one", Handler: "noop"}},
	})
	testkit.Must(t, err)
	testkit.Must(t, b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, RunKey: runKey, Files: someFiles(n)}))
	_, err = b.Seal(t.Context(), tr.ID)
	testkit.Must(t, err)
	var numbers []int64
	for i := range n {
		numbers = append(numbers, int64(i+1))
	}
	batch := tasks.Batch{Transfer: tr.ID, Step: 1, Attempt: 1, Queue: "q", Files: tasks.NewRanges(numbers)}
	one := []tasks.Batch{batch}
	testkit.Must(t, b.AddBatches(t.Context(), one))
	b.record(t, &ledger.BatchCompletion{Batch: &one[0], Results: results(&one[0], outcome, numbers...), FollowUp: finishing(&one[0])})
	tr = b.read(t, tr.ID)
	if tr.State != tasks.StateCompleted {
		t.Fatalf("the transfer is %s", tr.State)
	}
	return tr
}

// rows counts what the tables hold of a transfer.
func (b *env) rows(t *testing.T, transfer int64) (n int64) {
	t.Helper()
	for _, l := range leftovers() {
		n += b.count(t, l.table, "transfer_id = ?", transfer)
	}
	return n + b.count(t, "seen_files", "transfer_id = ?", transfer)
}

func TestDeletedTransferIsGoneAndRemembered(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		kept := b.ended(t, "a", 3, tasks.OutcomeSucceeded)
		gone := b.ended(t, "b", deletePage+7, tasks.OutcomeFailed) // several pages
		before := b.rows(t, kept.ID)
		testkit.Must(t, b.DeleteTransfer(ctx, gone.ID, Deletion{Forget: true}))
		_, err := b.Transfer(ctx, gone.UUID)
		deleted, ok := errors.AsType[*tasks.DeletedError](err)
		if !ok || !deleted.At.Equal(b.clock.Now()) || deleted.Name != "old" || errors.Is(err, tasks.ErrTransferNotFound) {
			t.Errorf("got %v", err)
		}
		if err := b.DeleteTransfer(ctx, gone.ID, Deletion{}); !errors.Is(err, tasks.ErrTransferNotFound) {
			t.Errorf("a second time: %v", err)
		}
		if b.rows(t, gone.ID) == 0 {
			t.Error("the rows went in one step")
		}
		// A process that dies in between leaves the rest to the next.
		stopped, stop := context.WithCancel(ctx)
		stop()
		if err := b.PurgeDeleted(stopped); err == nil {
			t.Error("a stopped purge says that it has ended")
		}
		testkit.Must(t, b.PurgeDeleted(ctx))
		if n := b.rows(t, gone.ID); n != 0 {
			t.Errorf("%d rows remain", n)
		}
		if n := b.rows(t, kept.ID); n != before {
			t.Errorf("%d rows of another transfer, of %d", n, before)
		}
		if _, err := b.Transfer(ctx, "01890000-0000-7000-8000-00000000ffff"); !errors.Is(err, tasks.ErrTransferNotFound) {
			t.Errorf("an id that was never given out: %v", err)
		}
	})
}

func TestOnlyEndedTransfersAreDeleted(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 2)
		batch := b.batch(t, tr.ID, "1-2")
		if err := b.DeleteTransfer(ctx, tr.ID, Deletion{Force: true}); !errors.Is(err, ErrNotEnded) {
			t.Errorf("an open transfer: %v", err)
		}
		_, err := b.Cancel(ctx, tr.ID)
		testkit.Must(t, err)
		if err := b.DeleteTransfer(ctx, tr.ID, Deletion{}); !errors.Is(err, ErrStillRunning) {
			t.Errorf("with an open batch: %v", err)
		}
		testkit.Must(t, b.DeleteTransfer(ctx, tr.ID, Deletion{Force: true}))
		testkit.Must(t, b.PurgeDeleted(ctx))
		// Recordings of a worker that still runs a batch of it are refused.
		rec := &ledger.BatchCompletion{Batch: batch, Results: results(batch, tasks.OutcomeSucceeded, 1, 2), FollowUp: finishing(batch)}
		if _, err := b.recordOne(t, rec); !errors.Is(err, ledger.ErrLeaseLost) {
			t.Errorf("record: %v", err)
		}
		if _, err := b.FindBatch(ctx, batch.ID); !errors.Is(err, ledger.ErrLeaseLost) {
			t.Errorf("claim: %v", err)
		}
		b.batch(t, tr.ID, "1") // written by one that had read the transfer before
		n, err := b.DeleteStrayBatches(ctx)
		testkit.Must(t, err)
		if n != 1 || b.rows(t, tr.ID) != 0 {
			t.Errorf("%d stray batches, %d rows", n, b.rows(t, tr.ID))
		}
	})
}

// A file of a deleted run is seen again only when the run is forgotten.
func TestForgottenFilesAreRegisteredAgain(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		for key, forget := range map[string]bool{"remembered": false, "forgotten": true} {
			tr := b.ended(t, key, 3, tasks.OutcomeSucceeded)
			testkit.Must(t, b.DeleteTransfer(ctx, tr.ID, Deletion{Forget: forget}))
			testkit.Must(t, b.PurgeDeleted(ctx))
			seen, err := b.CompareFiles(ctx, key, 0, someFiles(3))
			testkit.Must(t, err)
			for _, f := range seen {
				if (f.Status == ledger.Added) != forget {
					t.Errorf("%s: a file counts as %v", key, f.Status)
				}
			}
		}
	})
}

func TestPrunable(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		first := b.ended(t, "nightly", 1, tasks.OutcomeSucceeded)
		failed := b.ended(t, "", 1, tasks.OutcomeFailed)
		alone := b.ended(t, "", 1, tasks.OutcomeSucceeded)
		b.ended(t, "nightly", 1, tasks.OutcomeSucceeded)                                               // the newest of its runs, which has seen the same file
		testkit.Must(t, b.db.Exec("UPDATE seen_files SET was_transfer_id = 0, was_file_no = 0").Error) // as when it has changed
		b.ended(t, "growing", 2, tasks.OutcomeSucceeded)                                               // its second file has no newer result
		b.ended(t, "growing", 1, tasks.OutcomeSucceeded)
		b.clock.Advance(90 * 24 * time.Hour)
		b.ended(t, "", 1, tasks.OutcomeSucceeded)
		now := b.clock.Now()
		testkit.Must(t, b.MarkJournaled(ctx, alone.ID, b.read(t, alone.ID).EndedAt))
		testkit.Must(t, b.MarkJournaled(ctx, first.ID, b.read(t, first.ID).EndedAt.Add(-time.Minute))) // it ran again since
		for name, tt := range map[string]struct {
			prune Prune
			want  []int64
		}{
			"old":                  {Prune{Before: now}, []int64{first.ID, alone.ID}},
			"failed too":           {Prune{Before: now, FailedToo: true}, []int64{first.ID, failed.ID, alone.ID}},
			"all but the newest 5": {Prune{Before: now, KeepLast: 5}, []int64{first.ID}},
			"all but the newest 9": {Prune{Before: now, KeepLast: 9}, nil},
			"only journaled":       {Prune{Before: now, FailedToo: true, Journaled: true}, []int64{alone.ID}},
			"none is so old":       {Prune{Before: now.Add(-91 * 24 * time.Hour)}, nil},
		} {
			found, err := b.Prunable(ctx, tt.prune, 0)
			testkit.Must(t, err)
			var ids []int64
			for i := range found {
				ids = append(ids, found[i].ID)
			}
			if len(ids) != len(tt.want) {
				t.Fatalf("%s: %v, want %v", name, ids, tt.want)
			}
			for i := range ids {
				if ids[i] != tt.want[i] {
					t.Errorf("%s: %v, want %v", name, ids, tt.want)
				}
			}
		}
	})
}

// Later runs look at the newest transfer of their succession, and at those that have the result of
// a file that is there, or is missing and nobody has accepted it. These stay.
func TestPrunableKeepsWhatRunsNeed(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		first := b.ended(t, "same", 1, tasks.OutcomeSucceeded)
		second := b.ended(t, "same", 1, tasks.OutcomeSucceeded)
		b.clock.Advance(90 * 24 * time.Hour)
		for _, step := range []struct {
			when, then string
			want       []int64
		}{
			{"the second run has the file as the first recorded it", "", nil},
			{"the file has changed", "UPDATE seen_files SET was_transfer_id = 0, was_file_no = 0", []int64{first.ID}},
			{"it is missing", "UPDATE seen_files SET missing = 1", []int64{first.ID}},
			{"its result is in the first", fmt.Sprintf("UPDATE seen_files SET transfer_id = %d", first.ID), nil},
			{"a person has accepted that it is missing", "UPDATE seen_files SET accepted = 1", []int64{first.ID}},
			{"the second is the newest", fmt.Sprintf("UPDATE seen_files SET transfer_id = %d, accepted = 1", second.ID), []int64{first.ID}},
			{"nothing is seen", "DELETE FROM seen_files", []int64{first.ID}},
		} {
			if step.then != "" {
				testkit.Must(t, b.db.Exec(step.then).Error)
			}
			found, err := b.Prunable(t.Context(), Prune{Before: b.clock.Now()}, 0)
			testkit.Must(t, err)
			var ids []int64
			for i := range found {
				ids = append(ids, found[i].ID)
			}
			if !slices.Equal(ids, step.want) {
				t.Errorf("%s: %v, want %v", step.when, ids, step.want)
			}
		}
	})
}
