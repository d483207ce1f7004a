package batcher

import (
	"context"
	"fmt"
)

// Future tells how the flush of one added item ends.
type Future struct {
	ticket *ticket
	index  int // of the item in its batch
}

// ticket is what all futures of a batch share, so that an item costs no
// channel of its own. Everything but done is written before done is closed.
type ticket struct {
	done  chan struct{}
	whole error   // of every item
	some  *Errors // of single items
}

// Done is closed when the item's flush has ended.
func (f *Future) Done() <-chan struct{} { return f.ticket.done }

// Err is the item's error: nil when all went well, and nil too until Done.
func (f *Future) Err() error {
	select {
	case <-f.ticket.done:
		if f.ticket.whole != nil {
			return f.ticket.whole
		}
		return f.ticket.some.At(f.index)
	default:
		return nil
	}
}

// Wait returns the item's error once its flush has ended, or the error of ctx
// when that ends earlier; the item is flushed all the same.
func (f *Future) Wait(ctx context.Context) error {
	if err := f.ticket.wait(ctx); err != nil {
		return err
	}
	return f.Err()
}

func (t *ticket) wait(ctx context.Context) error {
	select {
	case <-t.done: // an end that is known already wins over a context that ended too
		return nil
	default:
	}
	select {
	case <-t.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the flush: %w", ctx.Err())
	}
}

func (t *ticket) settle(err error, n int) {
	t.some, t.whole = splitErrors(err, n)
	close(t.done)
}
