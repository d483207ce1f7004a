package store

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"

	"github.com/balerhq/baler/internal/testkit"
)

func ids(batches []tasks.Batch) []int64 {
	var all []int64
	for i := range batches {
		all = append(all, batches[i].ID)
	}
	return all
}

func (b *env) due(t *testing.T) []tasks.Batch {
	t.Helper()
	due, err := b.DueBatches(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return due
}

// Of any number of dispatchers that cut at one place, one does.
func TestDispatchAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 10)
		var mu sync.Mutex
		var cut []tasks.Batch
		moved := 0
		testkit.AtOnce(t, 6, func(int) error {
			c := ledger.Dispatch{Transfer: tr.ID, From: 0, To: 9, Finished: 2, Batches: []tasks.Batch{
				newBatch(t, tr.ID, 1, "1-4"), newBatch(t, tr.ID, 2, "5-7"),
			}}
			_, err := b.CommitDispatch(t.Context(), c)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, ledger.ErrCursorMoved) {
				moved++
				return nil
			}
			cut = append(cut, c.Batches...)
			return err
		})
		open, err := b.OpenBatches(t.Context(), tr.ID)
		if err != nil || moved != 5 || !slices.Equal(ids(open), ids(cut)) {
			t.Fatalf("%d found the cursor moved, open %v, cut %v, %v", moved, ids(open), ids(cut), err)
		}
		read := b.read(t, tr.ID)
		if read.Cursor != 9 || read.Finished != 2 || read.Steps[0].Selected != 4 || read.Steps[1].Selected != 3 {
			t.Errorf("%+v", read)
		}
		logs, err := b.Backlogs(t.Context(), 0, 10)
		if err != nil || len(logs) != 1 || logs[0].Cursor != 9 || logs[0].Files != 10 || logs[0].Open != 2 || !logs[0].MarkedAt.IsZero() {
			t.Errorf("backlog %+v, %v", logs, err)
		}
	})
}

func TestDispatchOfTheLastFilesCompletes(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 5)
		if done, err := b.CommitDispatch(t.Context(), ledger.Dispatch{Transfer: tr.ID, To: 3, Finished: 3}); err != nil || done {
			t.Errorf("an open transfer completed: %v, %v", done, err)
		}
		if _, err := b.Seal(t.Context(), tr.ID); err != nil {
			t.Fatal(err)
		}
		if done, err := b.CommitDispatch(t.Context(), ledger.Dispatch{Transfer: tr.ID, From: 3, To: 5, Finished: 2}); err != nil || !done {
			t.Errorf("completed %v, %v", done, err)
		}
		if read := b.read(t, tr.ID); read.State != tasks.StateCompleted {
			t.Errorf("%+v", read)
		}
		if logs, err := b.Backlogs(t.Context(), 0, 10); err != nil || len(logs) > 0 {
			t.Errorf("backlogs %+v, %v", logs, err)
		}
	})
}

// A sweep stands for files that were counted before.
func TestDispatchOfUncountedFiles(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		if err := b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: someFiles(3), FirstSteps: map[int]int64{1: 3}}); err != nil {
			t.Fatal(err)
		}
		if err := b.SetSweepMark(t.Context(), tr.ID, 3); err != nil {
			t.Fatal(err)
		}
		logs, err := b.Backlogs(t.Context(), 0, 1)
		if err != nil || logs[0].SweepMark != 3 || !logs[0].MarkedAt.Equal(b.clock.Now()) {
			t.Errorf("%+v, %v", logs, err)
		}
		_, err = b.CommitDispatch(t.Context(), ledger.Dispatch{Transfer: tr.ID, To: 3, Uncounted: true, Batches: []tasks.Batch{newBatch(t, tr.ID, 1, "2")}})
		if read := b.read(t, tr.ID); err != nil || read.Steps[0].Selected != 3 {
			t.Errorf("%+v, %v", read.Steps, err)
		}
	})
}

func TestDueAndReschedule(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 9)
		var all []int64
		for i := range 5 {
			all = append(all, b.batch(t, tr.ID, strconv.Itoa(i+1)).ID)
			b.clock.Advance(7 * time.Microsecond) // fractions of every length must order
		}
		if due := b.due(t); len(due) > 0 {
			t.Fatalf("due at once: %v", ids(due))
		}
		b.clock.Advance(sendGrace - 15*time.Microsecond)
		if due := b.due(t); !slices.Equal(ids(due), all[:3]) {
			t.Errorf("due %v, want the first three of %v", ids(due), all)
		}
		b.clock.Advance(time.Second)
		if due := b.due(t); !slices.Equal(ids(due), all) {
			t.Errorf("due %v, want %v in the order of their times", ids(due), all)
		}
		if err := b.Reschedule(t.Context(), nil, time.Second, true); err != nil {
			t.Error(err)
		}
		if err := b.Reschedule(t.Context(), all[:2], 10*time.Second, false); err != nil {
			t.Fatal(err)
		}
		if err := b.Reschedule(t.Context(), all[2:4], 20*time.Second, true); err != nil {
			t.Fatal(err)
		}
		if due := b.due(t); !slices.Equal(ids(due), all[4:]) {
			t.Errorf("due %v, want %v", ids(due), all[4:])
		}
		b.clock.Advance(10 * time.Second)
		if due := b.due(t); len(due) != 3 || due[0].FencingToken+due[1].FencingToken+due[2].FencingToken != 0 {
			t.Errorf("due %+v", due)
		}
		if err := b.MakeAllDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		delivered := 0
		for _, d := range b.due(t) {
			delivered += d.FencingToken
		}
		if delivered != 2 {
			t.Errorf("%d of 2 batches that were sent again raised their delivery", delivered)
		}
	})
}

// A transfer completes once, however many close its last batches together.
func TestCompletionOnce(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		const batches = 12
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, batches)
		var open []*tasks.Batch
		for i := range batches {
			open = append(open, b.batch(t, tr.ID, strconv.Itoa(i+1)))
		}
		var mu sync.Mutex
		completed := 0
		testkit.AtOnce(t, batches+2, func(i int) error {
			var done bool
			var err error
			if i >= batches {
				done, err = b.Seal(t.Context(), tr.ID)
			} else {
				rec := &ledger.BatchCompletion{Batch: open[i], Results: results(open[i], tasks.OutcomeSucceeded, int64(i)+1), FollowUp: finishing(open[i])}
				var result ledger.CompletionResult
				result, err = b.recordOne(t, rec)
				done = result.Completed
			}
			mu.Lock()
			defer mu.Unlock()
			if done {
				completed++
			}
			return err
		})
		if read := b.read(t, tr.ID); completed != 1 || read.State != tasks.StateCompleted {
			t.Errorf("completed %d times, %+v", completed, read)
		}
		b.checkCounters(t.Context(), t, tr.ID)
	})
}

// In a cluster that writes in several places numbers go up by more than one.
func TestNumbersOfBatchesInACluster(t *testing.T) {
	t.Parallel()
	b := migrated(t, db.MySQL, "auto_increment_increment=3&auto_increment_offset=2")
	tr := b.transfer(t, 1)
	b.files(t, tr.ID, 9)
	var batches []tasks.Batch
	for i := range 9 {
		batches = append(batches, newBatch(t, tr.ID, 1, strconv.Itoa(i+1)))
	}
	if err := b.AddBatches(t.Context(), batches); err != nil {
		t.Fatal(err)
	}
	open, err := b.OpenBatches(t.Context(), tr.ID)
	if err != nil || len(open) != 9 {
		t.Fatalf("%d batches, %v", len(open), err)
	}
	for i := range open {
		if open[i].ID != batches[i].ID || open[i].Files.String() != batches[i].Files.String() {
			t.Errorf("batch %d of files %v was said to be %d of %v", open[i].ID, open[i].Files, batches[i].ID, batches[i].Files)
		}
	}
}
