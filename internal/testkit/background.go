package testkit

import (
	"context"
	"sync"
	"testing"
)

// Background calls run in a goroutine and cancels its context when stop is called
// or the test ends. The test fails when run returns an error. Stop returns after
// run; further calls do nothing.
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
