package sleep_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/internal/sleep"
)

func TestForReturnsWhenTheTimeHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := sleep.For(t.Context(), time.Hour); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != time.Hour {
			t.Errorf("returned after %s", took)
		}
	})
}

func TestForGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := sleep.For(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("returned after %s", took)
		}
	})
}

func TestEveryCallsUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		began := time.Now()
		var called []time.Duration
		sleep.Every(ctx, time.Minute, func() { called = append(called, time.Since(began)) })
		if want := []time.Duration{time.Minute, 2 * time.Minute}; !slices.Equal(called, want) {
			t.Errorf("called after %v, not %v", called, want)
		}
		if took := time.Since(began); took != 150*time.Second {
			t.Errorf("returned after %s", took)
		}
	})
}

func TestEveryStopsWhenItsCallEndsTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		sleep.Every(ctx, time.Second, func() {
			calls++
			time.Sleep(time.Minute) // the next tick is waiting by then
			cancel()
		})
		if calls != 1 {
			t.Errorf("called %d times", calls)
		}
	})
}
