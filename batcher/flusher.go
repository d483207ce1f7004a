package batcher

import (
	"time"

	"github.com/balerhq/baler/internal/invoke"
)

// dispatch starts a flusher for every batch that is due and has none coming,
// as far as their number allows.
func (b *Batcher[T]) dispatch() {
	for b.running < b.opts.Flushers && b.starting < b.dueBatches() {
		b.running++
		b.starting++
		go b.work()
	}
}

// SetFlushers changes how many flushes may run at once, one at least. Those that
// run go on.
func (b *Batcher[T]) SetFlushers(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opts.Flushers = max(n, 1)
	b.dispatch()
}

func (b *Batcher[T]) dueBatches() int {
	if b.open != nil && b.due() != "" {
		return len(b.full) + 1
	}
	return len(b.full)
}

// due says why the open batch should go to the next free flusher; empty when
// it may still wait.
func (b *Batcher[T]) due() Reason {
	switch {
	case b.open.due != "":
		return b.open.due
	case b.opts.Eager:
		return ReasonIdle
	case len(b.waiters) > 0: // it is in the way of those who cannot be let in
		return ReasonItems
	}
	return ""
}

// work is a flusher: it flushes one batch. The batch is taken only here, so
// that what came since the flusher was started goes with it. The next batch
// gets a goroutine of its own, because a flush may end this one.
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

// take gives a flusher its batch; nil when those who were in want of it are
// gone.
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

// release makes room for what waits behind a batch that was flushed.
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

// end says so when Close was called and nothing is left to do: whatever is
// held has a flusher, and those have ended.
func (b *Batcher[T]) end() {
	if b.closed && b.running == 0 && !b.armed {
		b.cancel()
		close(b.ended)
	}
}
