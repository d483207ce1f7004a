package backoff_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/backoff"
)

func TestDelayDoublesUpToTheLimit(t *testing.T) {
	for _, c := range []struct {
		first, limit time.Duration
		failures     int
		want         time.Duration
	}{
		{5, 1000, 0, 5},
		{5, 1000, 1, 5},
		{5, 1000, 2, 10},
		{5, 1000, 8, 640},
		{5, 1000, 9, 1000},
		{5, 1000, math.MaxInt, 1000},
		{1, 64, 7, 64},
		{1, 64, 8, 64},
		{70, 64, 1, 64},
		{1, math.MaxInt64, 63, 1 << 62},
		{1, math.MaxInt64, 64, math.MaxInt64},
	} {
		if got := backoff.Delay(c.first, c.limit, c.failures); got != c.want {
			t.Errorf("Delay(%d, %d, %d) = %d, want %d", c.first, c.limit, c.failures, got, c.want)
		}
	}
}

func TestDelayNeverShrinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := time.Duration(rapid.Int64Min(1).Draw(t, "first"))
		limit := time.Duration(rapid.Int64Min(1).Draw(t, "limit"))
		failures := rapid.IntRange(1, 100).Draw(t, "failures")
		now, next := backoff.Delay(first, limit, failures), backoff.Delay(first, limit, failures+1)
		if now <= 0 || next < now || next > limit {
			t.Errorf("%d after %d failures, then %d", now, failures, next)
		}
	})
}

func TestJitterKeepsHalfToAll(t *testing.T) {
	for _, d := range []time.Duration{0, 1, 10 * time.Second} {
		for range 1000 {
			if got := backoff.Jitter(d); got < d/2 || got > d {
				t.Fatalf("%s of %s", got, d)
			}
		}
	}
}
