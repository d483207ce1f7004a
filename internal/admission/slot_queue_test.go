package admission

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// slotOrder lets batches of transfers wait, all behind one that runs, and returns in
// which order they got the only slot.
func slotOrder(t *testing.T, running int64, waiting ...int64) (order []int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		q := NewSlotQueue(1)
		if err := q.Acquire(t.Context(), running, 1); err != nil {
			t.Fatal(err)
		}
		for _, transfer := range waiting {
			go func() {
				if err := q.Acquire(t.Context(), transfer, 1); err != nil {
					t.Error(err)
				}
				order = append(order, transfer) // one at a time
				q.Release(transfer, 1)
			}()
			synctest.Wait()
		}
		q.Release(running, 1)
		synctest.Wait()
		if q.Free() != 1 || len(q.uses) != 0 {
			t.Errorf("%d slots are free, %d transfers are known", q.Free(), len(q.uses))
		}
	})
	return order
}

func TestSlotsGoFirstToNewTransfers(t *testing.T) {
	for name, c := range map[string]struct {
		running       int64
		waiting, want []int64
	}{
		"alone":         {1, []int64{1, 1}, []int64{1, 1}},
		"one newcomer":  {1, []int64{1, 1, 2}, []int64{2, 1, 1}},
		"two newcomers": {1, []int64{1, 1, 2, 3}, []int64{2, 3, 1, 1}},
		"in turn":       {1, []int64{1, 1, 2, 2}, []int64{2, 1, 2, 1}},
	} {
		if got := slotOrder(t, c.running, c.waiting...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// Many new transfers do not keep a batch waiting indefinitely.
func TestOldestBatchIsNotOvertakenForever(t *testing.T) {
	waiting := []int64{1}
	for n := range int64(2 * maxOvertaken) {
		waiting = append(waiting, 2+n)
	}
	if at := slices.Index(slotOrder(t, 1, waiting...), 1); at != maxOvertaken {
		t.Errorf("%d overtook it, want %d", at, maxOvertaken)
	}
}

// Smaller batches do not overtake a batch that takes all slots once it is its turn. They
// continue when it gives up.
func TestSlotsForALargeBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewSlotQueue(2)
		if err := q.Acquire(t.Context(), 1, 1); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		large, small := make(chan error, 1), make(chan error, 1)
		go func() { large <- q.Acquire(ctx, 2, 2) }()
		synctest.Wait()
		go func() { small <- q.Acquire(t.Context(), 3, 1) }()
		synctest.Wait()
		if len(large)+len(small) > 0 {
			t.Error("one of them did not wait")
		}
		cancel()
		synctest.Wait()
		if err := <-large; !errors.Is(err, context.Canceled) {
			t.Errorf("the large one got %v", err)
		}
		if err := <-small; err != nil || q.Free() != 0 {
			t.Errorf("the small one got %v, %d slots are free", err, q.Free())
		}
		q.Release(1, 1)
		q.Release(3, 1)
		if q.Free() != 2 || len(q.uses) != 0 {
			t.Errorf("%d slots are free, %d transfers are known", q.Free(), len(q.uses))
		}
	})
}
