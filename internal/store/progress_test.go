package store

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// LiveWork lists the files that take long with their progress, of batches that a live worker
// holds, and forgets them when another worker takes the batch over.
func TestRunningFiles(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := failSome(t, b, 1000)
		tr, err := b.Transfer(t.Context(), tr.UUID)
		testkit.Must(t, err)
		held, lost := b.batch(t, tr.ID, "1-5"), b.batch(t, tr.ID, "6")
		testkit.Must(t, b.HoldBatches(t.Context(), "host-1", []tasks.Batch{*held}))
		began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		far := tasks.Progress{Items: 7, OfItems: 9, Unit: "members", Bytes: 5, OfBytes: 3}
		testkit.Must(t, b.RecordProgress(t.Context(), []ledger.BatchProgress{
			{Batch: held.ID, FencingToken: held.FencingToken, Files: []tasks.RunningFile{
				{File: 2, StartedAt: began.Add(time.Second)}, {File: 1, StartedAt: began, Progress: far},
			}},
			{Batch: lost.ID, FencingToken: lost.FencingToken, Files: []tasks.RunningFile{{File: 6, StartedAt: began}}},
		}))
		files := runningFiles(t, b, &tr)
		if len(files) != 2 || files[0].File != 1 || files[1].File != 2 || files[0].Path == "" || files[0].Worker != "host-1" ||
			!files[0].StartedAt.Equal(began) || files[0].Step != tr.Steps[0].Name {
			t.Fatalf("files: %+v", files)
		}
		far.OfBytes = 0 // less than its part
		if files[0].Progress != far || files[1].Progress != (tasks.Progress{}) {
			t.Errorf("progress: %+v", files)
		}
		// What another process says of a batch that it has lost does not count.
		testkit.Must(t, b.RecordProgress(t.Context(), []ledger.BatchProgress{{Batch: held.ID, FencingToken: held.FencingToken + 1}}))
		if files := runningFiles(t, b, &tr); len(files) != 2 {
			t.Errorf("after a word of another: %+v", files)
		}
		testkit.Must(t, b.RecordProgress(t.Context(), []ledger.BatchProgress{{Batch: held.ID, FencingToken: held.FencingToken}}))
		if files := runningFiles(t, b, &tr); len(files) != 0 {
			t.Errorf("after the files have ended: %+v", files)
		}
	})
}

func TestTakeOverForgetsProgress(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := failSome(t, b, 100)
		tr, err := b.Transfer(t.Context(), tr.UUID)
		testkit.Must(t, err)
		held := b.batch(t, tr.ID, "1-5")
		testkit.Must(t, b.HoldBatches(t.Context(), "host-1", []tasks.Batch{*held}))
		testkit.Must(t, b.RecordProgress(t.Context(), []ledger.BatchProgress{
			{Batch: held.ID, FencingToken: held.FencingToken, Files: []tasks.RunningFile{{File: 1, StartedAt: time.Now()}}},
		}))
		claim, err := b.FindBatch(t.Context(), held.ID)
		testkit.Must(t, err)
		testkit.Must(t, b.ClaimBatch(t.Context(), &claim, "host-1", true))
		if files := runningFiles(t, b, &tr); len(files) != 0 {
			t.Errorf("files: %+v", files)
		}
	})
}

func runningFiles(t *testing.T, b *env, tr *tasks.Transfer) []tasks.RunningFile {
	t.Helper()
	work, err := b.LiveWork(t.Context(), tr, 1)
	testkit.Must(t, err)
	return work.Files
}
