package batcher

import (
	"time"

	"github.com/balerhq/baler/internal/invoke"
)

// dispatch starts a flusher for every due batch that has none, up to the number of
// flushers allowed.
func (b *Batcher[T]) dispatch() {
	for b.running < b.opts.Flushers && b.starting < b.dueBatches() {
		b.running++
		b.starting++
		go b.work()
	}
}

func (b *Batcher[T]) dueBatches() int {
	if b.open != nil && b.due() != "" {
		return len(b.full) + 1
	}
	return len(b.full)
}

// due says why the next free flusher should flush the open batch, and is empty when
// the batch may wait.
func (b *Batcher[T]) due() Reason {
	switch {
	case b.open.due != "":
		return b.open.due
	case b.opts.Eager:
		return ReasonIdle
	case len(b.waiters) > 0: // flushing it makes room for them
		return ReasonItems
	}
	return ""
}

// work is a flusher: it flushes one batch. It takes the batch only now, so that the
// batch includes items that were added since the flusher was started. The next batch
// gets another goroutine, because a flush may end this one.
func (b *Batcher[T]) work() {
	batch := b.take()
	if batch == nil {
		return
	}
	start, err := time.Now(), errExited
	defer func() {
		if v := recover(); v != nil {
			err = invoke.NewPanicError(v)
		}
		if b.opts.Observe != nil {
			b.opts.Observe(batch.due, batch.items, time.Since(start))
		}
		batch.settle(err, len(batch.things))
		b.release(batch)
	}()
	err = b.flush(batch.things)
}

// take returns the next batch to flush, or nil when it is not due any more because its
// waiters have given up.
func (b *Batcher[T]) take() *batch[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.starting--
	if len(b.full) == 0 {
		if b.open == nil || b.due() == "" {
			b.running--
			b.end()
			return nil
		}
		b.cut(b.due())
	}
	batch := b.full[0]
	b.full[0] = nil
	b.full = b.full[1:]
	b.flying[batch] = struct{}{}
	b.typical = len(batch.things)
	return batch
}

// release frees the room of a flushed batch, and adds the items of waiters.
func (b *Batcher[T]) release(batch *batch[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.flying, batch)
	b.running--
	b.held -= batch.items
	b.admit()
	b.dispatch()
	b.end()
}

// end marks the Batcher as ended when Close was called and all flushers have ended.
// Every held batch has a flusher by then.
func (b *Batcher[T]) end() {
	if b.closed && b.running == 0 && !b.armed {
		b.cancel()
		close(b.ended)
	}
}
