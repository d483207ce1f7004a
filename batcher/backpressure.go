package batcher

import (
	"context"
	"fmt"
	"slices"
)

// waiter is an Add that waits for room. The goroutine that makes room adds the
// waiter's item to the batch, so that no other item can take that room.
type waiter[T any] struct {
	item  T
	items int
	bytes int64

	ready  chan struct{} // closed once one of these two is set
	future *Future
	err    error
}

// await waits until w's item was added or refused, or ctx ends.
func (b *Batcher[T]) await(ctx context.Context, w *waiter[T]) (*Future, error) {
	select {
	case <-w.ready:
		return w.future, w.err
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.waiters, w)
	if i < 0 { // decided at the same moment: an item in a batch cannot be taken back
		return w.future, w.err
	}
	b.waiters = slices.Delete(b.waiters, i, i+1)
	b.admit() // a waiter behind it may need less room
	b.dispatch()
	return nil, fmt.Errorf("add to a batch: %w", ctx.Err())
}

// fits reports whether there is room for that many items.
func (b *Batcher[T]) fits(items int) bool {
	return b.held == 0 || items <= b.opts.Capacity-b.held
}

// admit adds the items of waiters, in order, while there is room.
func (b *Batcher[T]) admit() {
	for len(b.waiters) > 0 && b.fits(b.waiters[0].items) {
		w := b.waiters[0]
		b.waiters[0] = nil
		b.waiters = b.waiters[1:]
		w.future = b.put(w.item, w.items, w.bytes)
		close(w.ready)
	}
}

// refuse ends all waiters with ErrClosed.
func (b *Batcher[T]) refuse() {
	for _, w := range b.waiters {
		w.err = ErrClosed
		close(w.ready)
	}
	b.waiters = nil
}
