package store

import (
	"fmt"
	"sync"
	"testing"

	"github.com/balerhq/baler/tasks"

	"github.com/balerhq/baler/internal/testkit"
)

func TestCreateWithOneKeyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		var mu sync.Mutex
		made := 0
		ids := map[string]bool{}
		testkit.AtOnce(t, 8, func(int) error {
			tr, created, err := b.Create(t.Context(), NewTransfer{
				Key: "Nightly 7", Via: tasks.ViaBulk, Queue: "q", Steps: []tasks.StepProgress{{Number: 1, Name: "s", Handler: "noop"}},
			})
			mu.Lock()
			defer mu.Unlock()
			if created {
				made++
			}
			ids[tr.UUID] = true
			if err == nil && (len(tr.Steps) != 1 || tr.Key != "Nightly 7") {
				return fmt.Errorf("got %+v", tr)
			}
			return err
		})
		if made != 1 || len(ids) != 1 || b.count(t, "transfers", "1 = 1") != 1 || b.count(t, "steps", "1 = 1") != 1 {
			t.Errorf("created %d times, %d ids", made, len(ids))
		}
		// Keys differ in case and in spaces at the end.
		for _, key := range []string{"nightly 7", "Nightly 7 "} {
			_, created, err := b.Create(t.Context(), NewTransfer{Key: key, Steps: []tasks.StepProgress{{Number: 1}}})
			if err != nil || !created {
				t.Errorf("key %q: created %v, %v", key, created, err)
			}
		}
	})
}

func TestUnknownTransfer(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		_, err := b.Transfer(t.Context(), "018f0000-0000-7000-8000-000000000000")
		wantErr(t, err, tasks.ErrTransferNotFound)
		_, err = b.TransferByID(t.Context(), 77)
		wantErr(t, err, tasks.ErrTransferNotFound)
		_, err = b.Latest(t.Context(), "none")
		wantErr(t, err, tasks.ErrTransferNotFound)
	})
}

func TestSealedTransferTakesNoFiles(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		for range 2 {
			if completed, err := b.Seal(t.Context(), tr.ID); err != nil || completed {
				t.Fatalf("completed %v, %v", completed, err)
			}
		}
		err := b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: someFiles(2), RunKey: "l"})
		wantErr(t, err, ErrSealed)
		if b.count(t, "files", "1 = 1") != 1 || b.count(t, "seen_files", "1 = 1") != 0 {
			t.Error("a sealed transfer took files")
		}
		if reopened, err := b.Reopen(t.Context(), tr.ID); err != nil || !reopened {
			t.Fatalf("reopened %v, %v", reopened, err)
		}
		b.files(t, tr.ID, 2)
		b.checkCounters(t.Context(), t, tr.ID)
	})
}

func TestEmptyTransferCompletesWhenSealed(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		completed, err := b.Seal(t.Context(), tr.ID)
		if err != nil || !completed {
			t.Errorf("completed %v, %v", completed, err)
		}
		if completed, err = b.Seal(t.Context(), tr.ID); err != nil || completed {
			t.Errorf("again: completed %v, %v", completed, err)
		}
		if reopened, err := b.Reopen(t.Context(), tr.ID); err != nil || reopened {
			t.Errorf("an ended transfer was reopened: %v, %v", reopened, err)
		}
	})
}
