package store

import (
	"cmp"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestSurroundings(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		first, second := b.transfer(t, 1), b.transfer(t, 1)
		b.files(t, first.ID, 3)
		b.files(t, second.ID, 1)
		one, two, waits := b.batch(t, first.ID, "1"), b.batch(t, first.ID, "2"), b.batch(t, first.ID, "3")
		other := b.batch(t, second.ID, "1")
		_, err := b.HeartbeatWorker(t.Context(), tasks.Worker{Name: "w", Slots: 4, StartedAt: b.clock.Now()}, "i")
		testkit.Must(t, err)
		limit := 3
		_, err = b.SetLimit(t.Context(), tasks.ScopeAll, "", tasks.LimitChange{InFlight: &limit})
		testkit.Must(t, err)
		testkit.Must(t, b.HoldBatches(t.Context(), "w", []tasks.Batch{*one, *two}))
		testkit.Must(t, b.HoldBatches(t.Context(), "x", []tasks.Batch{*other}))

		around, err := b.Surroundings(t.Context())
		testkit.Must(t, err)
		slices.SortFunc(around.Held, func(a, b ledger.HeldBatches) int { return cmp.Compare(a.TransferID, b.TransferID) })
		want := []ledger.HeldBatches{
			{TransferID: first.ID, Queue: waits.Queue, HeldBy: "w", Batches: 2},
			{TransferID: second.ID, Queue: other.Queue, HeldBy: "x", Batches: 1},
		}
		if !slices.Equal(around.Held, want) || len(around.Workers) != 1 || len(around.Limits) != 1 || around.Limits[0].InFlight != 3 {
			t.Errorf("%+v, want held %+v", around, want)
		}
		b.clock.Advance(holdTime + time.Second)
		if around, err = b.Surroundings(t.Context()); err != nil || len(around.Held)+len(around.Workers) != 0 {
			t.Errorf("when the workers are dead: %+v, %v", around, err)
		}
	})
}

func TestSurroundingsHaveTheNextAttempts(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		first, second := b.transfer(t, 1), b.transfer(t, 1)
		b.files(t, first.ID, 3)
		b.files(t, second.ID, 2)
		again := b.clock.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		for _, tr := range []tasks.Transfer{first, second} {
			failed := b.batch(t, tr.ID, "1-2")
			testkit.Must(t, b.db.Model(&batchRow{}).Where("id = ?", failed.ID).Updates(map[string]any{"attempt": 2, "due_at": again}).Error)
		}
		other := b.batch(t, first.ID, "3") // of a transfer that need not wait
		testkit.Must(t, b.db.Exec(`INSERT INTO attempts
			(transfer_id, step_no, file_no, batch_id, outcome, exit_code, code, output, error, truncated, attempt, worker, started_at, ended_at)
			VALUES (?, 1, 1, 1, 'error', 0, 'io', '', 'no route', 0, 1, 'w', ?, ?)`, second.ID, again, again).Error)
		around, err := b.Surroundings(t.Context())
		testkit.Must(t, err)
		want := map[int64]ledger.Retry{second.ID: {At: again, Files: 2, Code: "io", Error: "no route"}}
		if !maps.Equal(around.Retries, want) {
			t.Errorf("%+v, want %+v; batch %d is no retry", around.Retries, want, other.ID)
		}
	})
}

func TestWorkersSayHowLongAWriteTakes(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		for range 2 {
			_, err := b.HeartbeatWorker(t.Context(), tasks.Worker{Name: "w", Slots: 4, StartedAt: b.clock.Now(), WriteTime: 1500 * time.Millisecond}, "i")
			testkit.Must(t, err)
		}
		around, err := b.Surroundings(t.Context())
		testkit.Must(t, err)
		why := around.Waiting(&tasks.Transfer{ID: 1, State: tasks.StateRunning, Files: 1})
		if want := (ledger.Waiting{Reason: ledger.WaitsForDatabase, Text: "the database, which is slow: a write takes 1.5s"}); why != want {
			t.Errorf("%+v, want %+v", why, want)
		}
	})
}
