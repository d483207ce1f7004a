package testkit

import (
	"context"
	"sync"
	"testing"
)

// Background runs something until stop is called, or the test ends, and fails
// the test when that gives an error. Stop returns when it has ended; to call it
// again does nothing.
func Background(t testing.TB, run func(ctx context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("in the background: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}
