package batcher

import (
	"context"
	"fmt"
)

// Future is the pending outcome of one added item.
type Future struct {
	ticket *ticket
	index  int // of the item in its batch
}

// ticket is shared by all futures of a batch, so that they need only one channel.
// whole and some are written before done is closed.
type ticket struct {
	done  chan struct{}
	whole error       // the error of every item
	some  *ItemErrors // the errors of single items
}

// Done is closed when the item's flush has ended.
func (f *Future) Done() <-chan struct{} { return f.ticket.done }

// Err is the error of the item. It is nil when the item succeeded, and until Done.
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

// Wait returns the item's error when its flush has ended, or the error of ctx when
// that ends earlier. The item is flushed in either case.
func (f *Future) Wait(ctx context.Context) error {
	if err := f.ticket.wait(ctx); err != nil {
		return err
	}
	return f.Err()
}

func (t *ticket) wait(ctx context.Context) error {
	select {
	case <-t.done: // prefer a known outcome to an ended context
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
