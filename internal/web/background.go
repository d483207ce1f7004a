package web

import (
	"context"
	"sync"
)

// background is what a server does while no request waits for it.
type background struct {
	stopping <-chan struct{}

	mutex   sync.Mutex
	stopped bool
	running sync.WaitGroup
}

// start runs a function with a context that ends when the server stops.
func (b *background) start(do func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	if !b.begin() {
		cancel()
		do(ctx)
		return
	}
	defer b.running.Done()
	ended := make(chan struct{})
	b.running.Go(func() {
		select {
		case <-b.stopping:
			cancel()
		case <-ended:
		}
	})
	b.running.Go(func() {
		defer close(ended)
		defer cancel()
		do(ctx)
	})
}

// begin reports whether something may still start: Done follows then.
func (b *background) begin() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.stopped { // nothing may be added to what wait waits for
		return false
	}
	b.running.Add(1)
	return true
}

// wait waits for the end of all that has started. The server stops before.
func (b *background) wait() {
	b.mutex.Lock()
	b.stopped = true
	b.mutex.Unlock()
	b.running.Wait()
}
