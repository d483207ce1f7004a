package batcher

import (
	"math"
	"time"

	"github.com/balerhq/baler/internal/cost"
	"github.com/balerhq/baler/tasks"
)

const (
	// batchesPerSlot is how many batches each slot gets of the remaining files, at
	// least. With two, the next batch is half as long as an equal share, and so on,
	// so that the last batches are short and all slots end at about the same time.
	batchesPerSlot = 2

	// MinBatchTime is the estimated time below which no batch is made shorter, because
	// its commit and its way through the queue would cost more.
	MinBatchTime = 100 * time.Millisecond

	// maxExtrapolation limits the estimated time of a batch to that many times the time
	// of all observed work, because the first files may differ from the others.
	maxExtrapolation = 16
)

// priorCost is used while the costs of a step are unknown: one file costs as much as a
// mebibyte. It has no unit.
func priorCost() cost.Cost { return cost.Cost{PerFile: 1, PerByte: 1.0 / (1 << 20)} }

// probeCost limits a batch that measures the costs of its step, in units of priorCost.
const probeCost = 16

// Remaining is how much of a transfer has not been planned yet.
type Remaining struct {
	Files int64
	Bytes int64
}

// Take subtracts planned files. Neither number falls below 0.
func (r *Remaining) Take(files, bytes int64) {
	r.Files = max(r.Files-files, 0)
	r.Bytes = max(r.Bytes-bytes, 0)
}

// Budget limits the batches of one step by their estimated costs. The zero value sets
// no limit.
type Budget struct {
	cost  cost.Cost // of a file and of a byte: in seconds if known, or else priorCost
	known bool
	upper float64 // limit of any batch; 0 for none
	parts float64 // a batch is at most the remaining cost divided by this; 0 for no such limit
	share float64 // limit from an equal share, while the costs are unknown; 0 for none
}

// NewBudget makes the budget of a step from the estimate of its costs and the target
// time of a batch (0: no target). slots is how many slots share the remaining files,
// or 0 while more files may be registered.
func NewBudget(e cost.Estimate, target time.Duration, remaining Remaining, slots int) Budget {
	b := Budget{cost: priorCost(), known: e.Known}
	if target > 0 {
		b.upper = probeCost
	}
	if slots > 0 {
		b.share = b.cost.Predict(remaining.Files, remaining.Bytes) / float64(slots)
	}
	if !e.Known {
		return b
	}
	b = Budget{cost: e.Cost, known: true}
	if target > 0 {
		b.upper = min(target.Seconds(), max(maxExtrapolation*e.Seconds, MinBatchTime.Seconds()))
	}
	b.parts = float64(batchesPerSlot * slots)
	return b
}

// limit is what the next batch may cost. Its files still count as remaining.
func (b *Budget) limit(remaining Remaining) float64 {
	limit := math.Inf(1)
	if b.upper > 0 {
		limit = b.upper
	}
	if b.share > 0 {
		limit = min(limit, b.share)
	}
	if b.parts > 0 {
		limit = min(limit, max(b.cost.Predict(remaining.Files, remaining.Bytes)/b.parts, MinBatchTime.Seconds()))
	}
	return limit
}

// Items is how many files the next batch has at most, or 0 when the budget sets no
// limit.
func (b *Budget) Items(remaining Remaining) int {
	n := b.limit(remaining)/b.cost.PerFile + 1
	if !(n < math.MaxInt32) { // infinite or not a number
		return 0
	}
	return int(math.Ceil(n))
}

// Probing reports whether small batches should measure the costs of their step.
func (b *Budget) Probing() bool { return !b.known && b.upper > 0 }

// Fills reports whether that many files of that many bytes fill a batch, by items, bytes
// or estimated cost.
func (b *Budget) Fills(p tasks.BatchPolicy, files int, bytes int64) bool {
	return p.MaxItems > 0 && files >= p.MaxItems || p.MaxBytes > 0 && bytes >= p.MaxBytes ||
		b.upper > 0 && b.cost.Predict(int64(files), bytes) >= b.upper
}
