package batcher

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/tasks"
)

// Called as a Batcher calls it, the accumulator breaks no limit, and ends no batch that
// still has room.
func TestAccumulatorKeepsEveryLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := tasks.BatchPolicy{
			MaxItems: rapid.IntRange(0, 9).Draw(t, "max items"),
			MaxBytes: rapid.Int64Range(0, 30).Draw(t, "max bytes"),
		}
		w := accumulator{policy: policy}
		count := 0 // items by number, not by weight
		for range rapid.IntRange(1, 60).Draw(t, "adds") {
			items, bytes := rapid.IntRange(1, 4).Draw(t, "items"), rapid.Int64Range(0, 40).Draw(t, "bytes")

			broken := func() bool {
				return policy.MaxItems > 0 && w.items+items > policy.MaxItems ||
					policy.MaxBytes > 0 && w.bytes+bytes > policy.MaxBytes
			}
			reason := w.reasonBefore(items, bytes)
			if (reason != "") != (count > 0 && broken()) {
				t.Fatalf("before(%d, %d) = %q with %d items and %d bytes in %+v", items, bytes, reason, w.items, w.bytes, policy)
			}
			if reason != "" {
				w, count = accumulator{policy: policy}, 0
			}
			w.addItem(items, bytes, time.Now())
			count++
			if count > 1 && (policy.MaxItems > 0 && w.items > policy.MaxItems || policy.MaxBytes > 0 && w.bytes > policy.MaxBytes) {
				t.Fatalf("%d items and %d bytes together in %+v", w.items, w.bytes, policy)
			}
			full := policy.MaxItems > 0 && w.items >= policy.MaxItems || policy.MaxBytes > 0 && w.bytes >= policy.MaxBytes
			if reason := w.reasonAfter(); (reason != "") != full {
				t.Fatalf("after() = %q with %d items and %d bytes in %+v", reason, w.items, w.bytes, policy)
			} else if reason != "" {
				w, count = accumulator{policy: policy}, 0
			}
		}
	})
}

func TestAccumulatorNamesTheLimit(t *testing.T) {
	w := accumulator{policy: tasks.BatchPolicy{MaxItems: 3, MaxBytes: 10}}
	if got := w.reasonBefore(99, 99); got != "" {
		t.Errorf("an empty accumulator refuses an item: %q", got)
	}
	w.addItem(1, 6, time.Time{})
	if got := w.reasonAfter(); got != "" {
		t.Errorf("after one small item: %q", got)
	}
	if got := w.reasonBefore(1, 5); got != ReasonBytes {
		t.Errorf("before too many bytes: %q", got)
	}
	if got := w.reasonBefore(3, 1); got != ReasonItems {
		t.Errorf("before too many items: %q", got)
	}
	w.addItem(1, 4, time.Time{})
	if got := w.reasonAfter(); got != ReasonBytes {
		t.Errorf("at exactly MaxBytes: %q", got)
	}
	w = accumulator{policy: w.policy}
	w.addItem(3, 0, time.Time{})
	if got := w.reasonAfter(); got != ReasonItems {
		t.Errorf("at exactly MaxItems: %q", got)
	}
}

func TestAccumulatorCountsTheDelayFromItsFirstItem(t *testing.T) {
	start := time.Unix(1000, 0)
	w := accumulator{policy: tasks.BatchPolicy{MaxDelay: 10 * time.Millisecond}}
	if w.left(start) != math.MaxInt64 {
		t.Error("an empty accumulator has a due time")
	}
	w.addItem(1, 0, start)
	w.addItem(1, 0, start.Add(7*time.Millisecond))
	if got := w.left(start.Add(8 * time.Millisecond)); got != 2*time.Millisecond {
		t.Errorf("left %v, want 2ms", got)
	}
	if got := w.left(start.Add(10 * time.Millisecond)); got > 0 {
		t.Errorf("left %v when the delay has passed", got)
	}
}

func TestAccumulatorCorrectsWrongWeights(t *testing.T) {
	w := accumulator{policy: tasks.BatchPolicy{MaxItems: 10, MaxBytes: 10}}
	w.addItem(0, -5, time.Time{})
	if w.items != 1 || w.bytes != 0 {
		t.Errorf("an item without weight counts as %d items and %d bytes", w.items, w.bytes)
	}
	if got := w.reasonBefore(math.MaxInt, 0); got != ReasonItems {
		t.Errorf("before the largest number of items: %q", got)
	}
	if got := w.reasonBefore(1, math.MaxInt64); got != ReasonBytes {
		t.Errorf("before the largest number of bytes: %q", got)
	}
	w.addItem(math.MaxInt, math.MaxInt64, time.Time{})
	w.addItem(math.MaxInt, math.MaxInt64, time.Time{})
	if w.items != math.MaxInt || w.bytes != math.MaxInt64 {
		t.Errorf("the counts overflowed: %d items, %d bytes", w.items, w.bytes)
	}
}
