package testkit

import (
	"errors"
	"sync"
	"testing"
)

// AtOnce starts n goroutines at the same time, waits for them, and fails the test with
// their errors.
func AtOnce(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	start := make(chan struct{})
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}
