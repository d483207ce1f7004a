package testkit

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// recorder is a test that notes how it failed.
type recorder struct {
	testing.TB

	failure string
}

func (*recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// watch runs what may end a test, as a test of its own.
func watch(t *testing.T, f func(t testing.TB)) (failure string) {
	t.Helper()
	r := &recorder{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f(r)
	}()
	<-ended
	return r.failure
}

func TestEventuallyReturnsAsSoonAsItIsSo(t *testing.T) {
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
			t.Errorf("returned %v after it was so", late)
		}
	})
}

func TestEventuallyGivesUpAtTheTimeoutAndSaysWhy(t *testing.T) {
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

func TestClockMovesOnlyWhenTold(t *testing.T) {
	t.Parallel()
	clock := NewClock()
	before := clock.Now()
	if clock.Now() != before {
		t.Error("it moved by itself")
	}
	if after := clock.Advance(time.Hour); after.Sub(before) != time.Hour || clock.Now() != after {
		t.Errorf("advanced from %v to %v", before, after)
	}
}
