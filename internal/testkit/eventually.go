package testkit

import (
	"testing"
	"time"
)

// The pauses between two questions: short at first, so that what is nearly there
// costs no time, then long enough not to be the load.
const (
	firstPause = time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// Eventually asks until done returns nil, and fails the test when that has not
// happened within the timeout: with the last error, which should therefore say
// what is and what should be. It is for what lies behind a process border;
// within a process wait for the event itself.
func Eventually(t testing.TB, timeout time.Duration, done func() error) {
	t.Helper()
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := done()
		if err == nil {
			return
		}
		left := timeout - time.Since(start)
		if left <= 0 {
			t.Fatalf("still not so after %v: %v", timeout, err)
		}
		timer.Reset(min(pause, left))
		select {
		case <-timer.C:
		case <-t.Context().Done():
			t.Fatalf("the test ended while waiting: %v", err)
		}
	}
}
