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

// Options shape a Batcher. The zero value is ready to use.
type Options[T any] struct {
	// Weigh says for how many items, one at least, and bytes an item counts.
	// Nil counts one item of no bytes.
	Weigh func(T) (items int, bytes int64)

	// Capacity is how many items may be held, from Add to the end of their
	// flush, before Add blocks. A single item that counts for more goes alone.
	// Zero is room for one batch a flusher and one being filled.
	Capacity int

	// Flushers is how many flushes may run at once; zero is one, which keeps
	// batches in order.
	Flushers int

	// Eager flushes as soon as a flusher has nothing else to do, instead of
	// waiting for MaxDelay: what comes while one batch is flushed forms the next.
	Eager bool

	// Observe is told of every flush, before its futures are: why it was, how
	// many items it had as weighed, and how long it took. It is called by several
	// goroutines when there are several flushers, and must not block.
	Observe func(reason Reason, items int, took time.Duration)
}

// Batcher gathers items and flushes them together. Make one with New; its
// methods may be called by any number of goroutines.
type Batcher[T any] struct {
	policy tasks.BatchPolicy
	opts   Options[T]
	flush  func([]T) error
	cancel context.CancelFunc // of the context that flushes run under
	ended  chan struct{}      // closed when Close was called and nothing is left to do

	mu       sync.Mutex
	closed   bool
	open     *batch[T]              // being filled; nil while there is nothing in it
	full     []*batch[T]            // filled, in order, waiting for a flusher
	flying   map[*batch[T]]struct{} // being flushed
	running  int                    // flushers, those starting among them
	starting int                    // flushers that have not taken their batch yet
	held     int                    // items from Add to the end of their flush
	waiters  []*waiter[T]           // Adds that wait for room, in order
	timer    *time.Timer
	armed    bool // the timer will call onTimer, or does and waits for mu
	typical  int  // length of the last batch: the room that the next one starts with
}

// batch is what one flush gets.
type batch[T any] struct {
	ticket
	accumulator
	things []T
	due    Reason // why it should go as soon as a flusher is free; empty while it may wait
}

// New makes a Batcher which hands what it gathers to flush, under policy;
// bounds that policy leaves unset are those of Default. Flush may keep the
// slice. When it returns *Errors, alone or wrapped, only those items fail; with
// any other error, or a panic, all of them do. The context of a flush ends
// when that of a Close does.
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

// Add puts an item into the batch that is being filled. While the Batcher
// holds as much as it may, Add blocks. An error means that the item was not
// taken: ErrClosed, or the error of ctx. An item that was taken is flushed,
// whatever becomes of ctx.
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
	b.dispatch() // the batch that is being filled may be all that is in the way
	b.mu.Unlock()
	return b.await(ctx, w)
}

// Flush sends off what is held without waiting for more, and returns when all
// items added before have been flushed; how that ended, their futures tell. It
// returns an error only when ctx ends earlier.
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

// Close flushes what is held, and returns when nothing of the Batcher runs any
// more. From the call on, Add returns ErrClosed. When ctx ends earlier, so does
// the context of the flushes, and Close returns its error without waiting for
// them; call it again to do so.
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

// put adds an item to the open batch, and cuts that where the policy says so.
// The caller holds mu, as for all that follows here.
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

// cut ends the open batch: it takes no more, and is due.
func (b *Batcher[T]) cut(reason Reason) {
	b.open.due = reason
	b.full = append(b.full, b.open)
	b.open = nil
}

// makeDue makes the open batch due. It takes more until a flusher is free for
// it: what must wait anyway may as well have company.
func (b *Batcher[T]) makeDue(reason Reason) {
	if b.open != nil && b.open.due == "" {
		b.open.due = reason
	}
	b.dispatch()
}
