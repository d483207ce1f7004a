package dispatch

import (
	"slices"
	"testing"
	"time"
)

func TestBatchesWithoutAHolderAreAbandonedAfterAWhile(t *testing.T) {
	d := New(newFake(), newFake(), nil, withTimes(Options{}))
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, look := range []struct {
		at     time.Duration
		unheld []int64
		want   []int64
	}{
		{0, []int64{1, 2}, nil},
		{time.Second, []int64{1, 3}, nil},            // 2 is held again
		{2 * time.Second, []int64{1, 2, 3}, nil},     // and not held once more
		{3 * time.Second, []int64{1, 2}, []int64{1}}, // 3 has ended
		{5 * time.Second, []int64{2, 3}, []int64{2}}, // 3 was sent again, so its time begins anew
	} {
		if got := d.abandoned(look.unheld, begun.Add(look.at)); !slices.Equal(got, look.want) {
			t.Errorf("after %s: %v, want %v", look.at, got, look.want)
		}
	}
}
