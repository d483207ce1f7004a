package store

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestFirstOfTransfers(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		large, small, waits := b.transfer(t, 1), b.transfer(t, 1), b.transfer(t, 2)
		for _, id := range []int64{large.ID, small.ID, waits.ID} {
			b.files(t, id, 9)
		}
		b.batch(t, large.ID, "1")
		b.gathering(t, waits.ID, "1", time.Time{}) // is not sent
		written := []tasks.Batch{
			newBatch(t, large.ID, 1, "2"), newBatch(t, small.ID, 1, "1"), newBatch(t, small.ID, 1, "2"), newBatch(t, waits.ID, 1, "2"),
		}
		testkit.Must(t, b.AddBatches(t.Context(), written))
		first, err := b.FirstOfTransfers(t.Context(), written)
		if err != nil || len(first) != 2 || !first[written[1].ID] || !first[written[3].ID] {
			t.Errorf("first of %v are %v, %v", ids(written), first, err)
		}
		if first, err := b.FirstOfTransfers(t.Context(), nil); err != nil || len(first) > 0 {
			t.Errorf("first of none are %v, %v", first, err)
		}
	})
}
