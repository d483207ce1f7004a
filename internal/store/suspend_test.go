package store

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// exec changes the database behind the store's back.
func (b *env) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if err := b.db.Exec(statement, args...).Error; err != nil {
		t.Fatal(err)
	}
}

// A batch that is invalid stops its own transfer, with the reason, and no other.
func TestBatchThatMakesNoSenseStopsItsTransfer(t *testing.T) {
	for column, bad := range map[string]any{
		"files": "garbage", "step_no": 0, "attempt": -1, "fencing_token": math.MaxInt32, "crashes": -5, "inherited_crashes": -1, "queue": " ",
	} {
		t.Run(column, func(t *testing.T) {
			each(t, func(t *testing.T, b *env) {
				good, sick := b.transfer(t, 1), b.transfer(t, 1)
				b.files(t, good.ID, 2)
				b.files(t, sick.ID, 2)
				broken, healthy := b.batch(t, sick.ID, "1-2"), b.batch(t, good.ID, "1-2")
				var before any
				if err := b.db.Raw("SELECT "+column+" FROM batches WHERE id = ?", broken.ID).Row().Scan(&before); err != nil {
					t.Fatal(err)
				}
				b.exec(t, "UPDATE batches SET "+column+" = ? WHERE id = ?", bad, broken.ID)
				b.clock.Advance(time.Minute)
				if due := b.due(t); len(due) != 1 || due[0].ID != healthy.ID {
					t.Errorf("due are %v, want %d", due, healthy.ID)
				}
				all, last, err := b.BatchesAfter(t.Context(), 0, 10)
				if err != nil || len(all) != 1 || all[0].ID != healthy.ID || last != healthy.ID {
					t.Errorf("the ledger has %v up to %d, %v", ids(all), last, err)
				}
				_, err = b.FindBatch(t.Context(), broken.ID)
				wantErr(t, err, ledger.ErrPaused)
				read := b.read(t, sick.ID)
				if read.PausedAt.IsZero() || !strings.Contains(read.Trouble, "row ") || !strings.Contains(read.Trouble, column) {
					t.Errorf("paused at %v because %q", read.PausedAt, read.Trouble)
				}
				if other := b.read(t, good.ID); !other.PausedAt.IsZero() || other.Trouble != "" {
					t.Errorf("the other is paused: %q", other.Trouble)
				}
				suspended, err := b.Suspended(t.Context(), 10)
				if err != nil || len(suspended) != 1 || suspended[0].ID != sick.ID {
					t.Errorf("suspended are %+v, %v", suspended, err)
				}
				b.exec(t, "UPDATE batches SET "+column+" = ? WHERE id = ?", before, broken.ID)
				if resumed, err := b.Resume(t.Context(), sick.ID); err != nil || !resumed {
					t.Errorf("resumed %v, %v", resumed, err)
				}
				if due := b.due(t); len(due) != 2 || b.read(t, sick.ID).Trouble != "" {
					t.Errorf("after it was corrected, due are %v", due)
				}
			})
		})
	}
}

// A batch without a transfer is kept as a dead letter, and leaves the ledger.
func TestBatchWithoutTransfer(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		b.batch(t, 4711, "1-2")
		b.exec(t, "UPDATE batches SET files = 'x' WHERE id = ?", b.batch(t, 4712, "3").ID)
		b.clock.Advance(time.Minute)
		if due := b.due(t); len(due) > 0 {
			t.Errorf("due are %v", due)
		}
		letters, err := b.DeadLetters(t.Context(), 0, 10)
		if err != nil || len(letters) != 2 || !strings.Contains(letters[1].Reason, "no transfer 4711") || !strings.Contains(string(letters[1].Payload), "1-2") {
			t.Errorf("%v, %+v", err, letters)
		}
		if n := b.count(t, "batches", "1 = 1"); n != 0 {
			t.Errorf("%d batches are left", n)
		}
	})
}

// So it is with a transfer whose counters contradict each other.
func TestTransferThatMakesNoSenseIsStopped(t *testing.T) {
	for name, set := range map[string]string{
		"absurd":                "files = 9223372036854775807, dispatched = -5",
		"more dispatched":       "dispatched = 11",
		"more finished":         "finished = 11, dispatched = 10",
		"finished below zero":   "finished = -1",
		"files below zero":      "files = -3, dispatched = -4",
		"bytes that overflow":   "bytes = -9223372036854775807, dispatched_bytes = 9223372036854775807",
		"dispatched below zero": "dispatched = -1",
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, b *env) {
				sick, good := b.transfer(t, 1), b.transfer(t, 1)
				b.files(t, sick.ID, 10)
				b.files(t, good.ID, 10)
				b.exec(t, "UPDATE transfers SET "+set+" WHERE id = ?", sick.ID)
				for range 2 {
					backlogs, err := b.Backlogs(t.Context(), 0, 10)
					if err != nil || len(backlogs) != 1 || backlogs[0].Transfer != good.ID || backlogs[0].Files != 10 {
						t.Fatalf("backlogs are %+v, %v", backlogs, err)
					}
				}
				if trouble := b.read(t, sick.ID).Trouble; !strings.Contains(trouble, "is invalid") {
					t.Errorf("trouble is %q", trouble)
				}
				if canceled, err := b.Cancel(t.Context(), sick.ID); err != nil || !canceled {
					t.Errorf("canceled %v, %v", canceled, err)
				}
				if read := b.read(t, sick.ID); read.Trouble != "" || read.State != tasks.StateCanceled {
					t.Errorf("it is %s with trouble %q", read.State, read.Trouble)
				}
			})
		})
	}
}
