package testkit

import (
	"testing"
	"time"
)

// The pauses between two calls of done: short at first, so that a test notices the end soon,
// and then long enough to put no load on the machine.
const (
	firstPause = time.Millisecond
	lastPause  = 50 * time.Millisecond
)

// Eventually calls done until it returns nil. After the timeout the test fails with the last
// error, so the error should have the actual and the expected value. It is for events in
// other processes; within a process, wait for the event itself.
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
			t.Fatalf("not within %v: %v", timeout, err)
		}
		timer.Reset(min(pause, left))
		select {
		case <-timer.C:
		case <-t.Context().Done():
			t.Fatalf("the test ended while waiting: %v", err)
		}
	}
}
