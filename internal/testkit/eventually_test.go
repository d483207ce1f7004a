package testkit

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEventuallyReturnsSoonAfterTheEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		so := start.Add(time.Second)
		failure := watch(t, func(t testing.TB) {
			t.Helper()
			Eventually(t, time.Minute, func() error {
				if time.Now().Before(so) {
					return errors.New("not yet")
				}
				return nil
			})
		})
		if failure != "" {
			t.Errorf("failed: %s", failure)
		}
		if late := time.Since(so); late < 0 || late > lastPause {
			t.Errorf("returned %v after the event", late)
		}
	})
}

func TestEventuallyFailsAtTheTimeoutWithTheReason(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		failure := watch(t, func(t testing.TB) {
			t.Helper()
			Eventually(t, time.Second, func() error { return errors.New("3 of 10 results") })
		})
		if !strings.Contains(failure, "3 of 10 results") || !strings.Contains(failure, "1s") {
			t.Errorf("failed with %q", failure)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v, want 1s", took)
		}
	})
}

func TestClockMovesOnlyWithAdvance(t *testing.T) {
	t.Parallel()
	clock := NewClock()
	before := clock.Now()
	if clock.Now() != before {
		t.Error("the clock moved without Advance")
	}
	if after := clock.Advance(time.Hour); after.Sub(before) != time.Hour || clock.Now() != after {
		t.Errorf("advanced from %v to %v", before, after)
	}
}
