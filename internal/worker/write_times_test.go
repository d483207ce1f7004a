package worker

import (
	"testing"
	"time"
)

func TestOneSlowWriteSaysNothing(t *testing.T) {
	t.Parallel()
	var w writeTimes
	for _, c := range []struct{ took, want time.Duration }{{5, 0}, {7, 5}, {1, 1}, {9, 1}, {8, 8}} {
		w.add(c.took)
		if got := w.both(); got != c.want {
			t.Errorf("after %d: %d, want %d", c.took, got, c.want)
		}
	}
}
