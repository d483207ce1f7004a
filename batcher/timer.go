package batcher

import "time"

// arm sets the timer for the open batch unless it is set already. A timer that was set
// for an earlier batch fires too early, never too late, and is then set again. So a
// fast stream of batches sets the timer once in each delay, not once for each batch.
func (b *Batcher[T]) arm() {
	if b.opts.Eager || b.armed || b.closed {
		return
	}
	b.set(b.policy.MaxDelay)
}

func (b *Batcher[T]) set(d time.Duration) {
	b.armed = true
	if b.timer == nil {
		b.timer = time.AfterFunc(d, b.onTimer)
		return
	}
	b.timer.Reset(d)
}

// disarm stops the timer. If it has fired already, onTimer does nothing.
func (b *Batcher[T]) disarm() {
	if b.armed && b.timer.Stop() {
		b.armed = false
	}
}

func (b *Batcher[T]) onTimer() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.armed = false
	if b.closed {
		b.end()
		return
	}
	if b.open == nil {
		return
	}
	if left := b.open.left(time.Now()); left > 0 {
		b.set(left)
		return
	}
	b.makeDue(ReasonDelay)
}
