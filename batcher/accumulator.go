package batcher

import (
	"math"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Reason says why a batch was flushed.
type Reason string

// The reasons, as metrics label them.
const (
	ReasonItems  Reason = "items"  // as many items as a batch, or the whole Batcher, may hold
	ReasonBytes  Reason = "bytes"  // as many bytes as a batch may hold
	ReasonDelay  Reason = "delay"  // its first item had waited for MaxDelay
	ReasonIdle   Reason = "idle"   // a flusher had nothing else to do
	ReasonForced Reason = "forced" // somebody called Flush
	ReasonClose  Reason = "close"  // the Batcher was closed
)

// accumulator tallies the batch that is being filled, and answers whether to flush
// it before or after an item, and when at the latest. It decides only: it
// holds no items and starts no timer.
type accumulator struct {
	policy tasks.BatchPolicy
	items  int
	bytes  int64
	opened time.Time // when the first item came; zero while empty
}

// reasonBefore says why the window must be flushed before an item of this weight is
// added; empty when it still fits. An empty window takes anything, so that an
// item above a bound goes alone.
func (w *accumulator) reasonBefore(items int, bytes int64) Reason {
	switch {
	case w.items == 0:
		return ""
	case w.policy.MaxItems > 0 && items > w.policy.MaxItems-w.items:
		return ReasonItems
	case w.policy.MaxBytes > 0 && bytes > w.policy.MaxBytes-w.bytes:
		return ReasonBytes
	}
	return ""
}

// addItem tallies an item. It counts for one at least, and bytes are never
// negative: otherwise a careless weight could keep a batch open for ever.
func (w *accumulator) addItem(items int, bytes int64, now time.Time) {
	if w.items == 0 {
		w.opened = now
	}
	w.items = saturate(w.items, max(items, 1), math.MaxInt)
	w.bytes = saturate(w.bytes, max(bytes, 0), math.MaxInt64)
}

// reasonAfter says why the window must be flushed now that an item was added; empty
// when another may follow.
func (w *accumulator) reasonAfter() Reason {
	switch {
	case w.items == 0:
		return ""
	case w.policy.MaxItems > 0 && w.items >= w.policy.MaxItems:
		return ReasonItems
	case w.policy.MaxBytes > 0 && w.bytes >= w.policy.MaxBytes:
		return ReasonBytes
	}
	return ""
}

// left is how long the window may still wait; not positive once it is due.
func (w *accumulator) left(now time.Time) time.Duration {
	if w.items == 0 || w.policy.MaxDelay <= 0 {
		return math.MaxInt64
	}
	return w.policy.MaxDelay - now.Sub(w.opened)
}

// saturate adds two numbers that are not negative, and stops at limit.
func saturate[N int | int64](a, b, limit N) N {
	if a > limit-b {
		return limit
	}
	return a + b
}
