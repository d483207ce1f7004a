package batcher

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Options configures a Batcher. The zero value is ready to use.
type Options[T any] struct {
	// Weigh returns as how many items, at least one, and as how many bytes an item
	// counts. Nil counts each as one item without bytes.
	Weigh func(T) (items int, bytes int64)

	// Capacity is how many items may be held, from Add to the end of their flush,
	// before Add blocks. An item that counts as more is accepted when nothing is held.
	// Zero means one batch for each flusher and the open one.
	Capacity int

	// Flushers is how many flushes may run at once. Zero means one, which keeps the
	// batches in order.
	Flushers int

	// Eager flushes as soon as a flusher is free, instead of waiting for MaxDelay.
	// The items that are added during a flush form the next batch.
	Eager bool

	// Observe is called after every flush, before its futures are done, with the
	// reason, the weighed number of items and the time it took. Several flushers call
	// it at the same time. It must not block. It may be nil.
	Observe func(reason Reason, items int, took time.Duration)
}

// Batcher collects items and flushes them together. Make one with New. It is safe for
// concurrent use.
type Batcher[T any] struct {
	policy tasks.BatchPolicy
	opts   Options[T]
	flush  func([]T) error
	cancel context.CancelFunc // of the context that flushes run under
	ended  chan struct{}      // closed when Close was called and nothing is left to do

	mu       sync.Mutex
	closed   bool
	open     *batch[T]              // takes items; nil while there are none
	full     []*batch[T]            // take no more items; wait for a flusher, in order
	flying   map[*batch[T]]struct{} // under flush
	running  int                    // flushers, including those that are starting
	starting int                    // flushers that have not taken their batch yet
	held     int                    // items from Add to the end of their flush
	waiters  []*waiter[T]           // Adds that wait for room, in order
	timer    *time.Timer
	armed    bool // the timer will call onTimer, or does and waits for mu
	typical  int  // length of the last batch, for which the next one allocates memory
}

// batch is what one flush gets.
type batch[T any] struct {
	ticket
	accumulator
	things []T
	due    Reason // why it is flushed as soon as a flusher is free; empty while it may wait
}

// New makes a Batcher that collects items under a policy and passes them to flush.
// Limits that policy does not set are those of tasks.DefaultBatchPolicy. Flush may
// keep the slice. When it returns *ItemErrors, alone or wrapped, only those items fail;
// with any other error, or a panic, all items of the batch fail. The context of a
// flush ends when the context of a Close ends.
func New[T any](policy tasks.BatchPolicy, flush func(context.Context, []T) error, opts Options[T]) *Batcher[T] {
	policy = policy.Overlay(tasks.DefaultBatchPolicy())
	opts.Flushers = max(opts.Flushers, 1)
	if opts.Capacity <= 0 {
		opts.Capacity = math.MaxInt
		if policy.MaxItems < math.MaxInt/(opts.Flushers+1) {
			opts.Capacity = policy.MaxItems * (opts.Flushers + 1)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Batcher[T]{
		policy: policy,
		opts:   opts,
		flush:  func(things []T) error { return flush(ctx, things) },
		cancel: cancel,
		ended:  make(chan struct{}),
		flying: make(map[*batch[T]]struct{}),
	}
}

// Add adds an item to the open batch. It blocks while the Batcher holds as many items
// as its capacity. An error, ErrClosed or that of ctx, means that the item was not
// added. An item that was added is flushed even if ctx ends.
func (b *Batcher[T]) Add(ctx context.Context, item T) (*Future, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("add to a batch: %w", err)
	}
	items, bytes := b.weigh(item)

	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil, ErrClosed
	}
	if len(b.waiters) == 0 && b.fits(items) {
		f := b.put(item, items, bytes)
		b.dispatch()
		b.mu.Unlock()
		return f, nil
	}
	w := &waiter[T]{item: item, items: items, bytes: bytes, ready: make(chan struct{})}
	b.waiters = append(b.waiters, w)
	b.dispatch() // flushing the open batch may be all that makes room
	b.mu.Unlock()
	return b.await(ctx, w)
}

// Flush flushes what is held without waiting for more items, and returns when all
// items added before have been flushed. Their futures have the errors of the flushes;
// Flush returns an error only when ctx ends earlier.
func (b *Batcher[T]) Flush(ctx context.Context) error {
	b.mu.Lock()
	b.makeDue(ReasonForced)
	held := slices.Clone(b.full)
	if b.open != nil {
		held = append(held, b.open)
	}
	for flying := range b.flying {
		held = append(held, flying)
	}
	b.mu.Unlock()

	for _, batch := range held {
		if err := batch.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close flushes what is held, and returns when all goroutines of the Batcher have
// ended. From the call on, Add returns ErrClosed. When ctx ends earlier, Close ends the
// context of the flushes and returns the error of ctx without waiting for them; call
// it again to wait.
func (b *Batcher[T]) Close(ctx context.Context) error {
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		b.refuse()
		b.disarm()
		b.makeDue(ReasonClose)
		b.end()
	}
	b.mu.Unlock()

	select {
	case <-b.ended:
		return nil
	default:
	}
	select {
	case <-b.ended:
		return nil
	case <-ctx.Done():
		b.cancel()
		return fmt.Errorf("close the batcher: %w", ctx.Err())
	}
}

func (b *Batcher[T]) weigh(item T) (items int, bytes int64) {
	if b.opts.Weigh == nil {
		return 1, 0
	}
	items, bytes = b.opts.Weigh(item)
	return max(items, 1), max(bytes, 0)
}

// put adds an item to the open batch, and closes the batch before or after it where
// the policy demands that. The caller holds mu, as for all methods below.
func (b *Batcher[T]) put(item T, items int, bytes int64) *Future {
	if b.open != nil {
		if reason := b.open.reasonBefore(items, bytes); reason != "" {
			b.cut(reason)
		}
	}
	if b.open == nil {
		b.open = &batch[T]{
			ticket:      ticket{done: make(chan struct{})},
			accumulator: accumulator{policy: b.policy},
			things:      make([]T, 0, b.typical),
		}
	}
	open := b.open
	f := &Future{ticket: &open.ticket, index: len(open.things)}
	open.things = append(open.things, item)
	b.held += items
	if f.index == 0 {
		open.addItem(items, bytes, time.Now())
		b.arm()
	} else {
		open.addItem(items, bytes, open.opened)
	}
	if reason := open.reasonAfter(); reason != "" {
		b.cut(reason)
	}
	return f
}

// cut closes the open batch: it takes no more items, and is due.
func (b *Batcher[T]) cut(reason Reason) {
	b.open.due = reason
	b.full = append(b.full, b.open)
	b.open = nil
}

// makeDue makes the open batch due. The batch keeps accepting items until a flusher is
// free.
func (b *Batcher[T]) makeDue(reason Reason) {
	if b.open != nil && b.open.due == "" {
		b.open.due = reason
	}
	b.dispatch()
}
