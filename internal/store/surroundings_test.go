package store

import (
	"cmp"
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
		_, err = b.SetLimit(t.Context(), tasks.ScopeAll, "", &limit, nil)
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
