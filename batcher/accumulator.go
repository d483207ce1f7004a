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
	ReasonForced Reason = "forced" // Flush was called
	ReasonClose  Reason = "close"  // the Batcher was closed
)

// accumulator counts the items and bytes of the open batch, and decides whether to
// flush it before or after an item, and when at the latest. It holds no items and
// starts no timer.
type accumulator struct {
	policy tasks.BatchPolicy
	items  int
	bytes  int64
	opened time.Time // when the first item was added; zero while empty
}

// reasonBefore says why the batch must be flushed before an item of this weight is
// added, and is empty when the item fits. An empty batch takes any item, so that one
// above a limit gets a batch of its own.
func (a *accumulator) reasonBefore(items int, bytes int64) Reason {
	switch {
	case a.items == 0:
		return ""
	case a.policy.MaxItems > 0 && items > a.policy.MaxItems-a.items:
		return ReasonItems
	case a.policy.MaxBytes > 0 && bytes > a.policy.MaxBytes-a.bytes:
		return ReasonBytes
	}
	return ""
}

// addItem counts an item, as one item at least and with no negative bytes. Otherwise a
// wrong weight could keep a batch open indefinitely.
func (a *accumulator) addItem(items int, bytes int64, now time.Time) {
	if a.items == 0 {
		a.opened = now
	}
	a.items = saturate(a.items, max(items, 1), math.MaxInt)
	a.bytes = saturate(a.bytes, max(bytes, 0), math.MaxInt64)
}

// reasonAfter says why the batch must be flushed after an item was added, and is empty
// when it may take another.
func (a *accumulator) reasonAfter() Reason {
	switch {
	case a.items == 0:
		return ""
	case a.policy.MaxItems > 0 && a.items >= a.policy.MaxItems:
		return ReasonItems
	case a.policy.MaxBytes > 0 && a.bytes >= a.policy.MaxBytes:
		return ReasonBytes
	}
	return ""
}

// left is how long the batch may still wait. It is not positive once it is due.
func (a *accumulator) left(now time.Time) time.Duration {
	if a.items == 0 || a.policy.MaxDelay <= 0 {
		return math.MaxInt64
	}
	return a.policy.MaxDelay - now.Sub(a.opened)
}

// saturate adds two numbers that are not negative, and stops at limit.
func saturate[N int | int64](a, b, limit N) N {
	if a > limit-b {
		return limit
	}
	return a + b
}
