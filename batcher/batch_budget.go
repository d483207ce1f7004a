package batcher

import (
	"math"
	"time"

	"github.com/balerhq/baler/internal/cost"
)

const (
	// batchesPerSlot is how many batches each slot gets of what is left, at the least:
	// the next one is half as long as an equal share would be, and so on, so that
	// the last ones are short and all slots end at about the same time.
	batchesPerSlot = 2

	// minBatchTime is the estimated time below which a batch is not made shorter for
	// any reason: its commit and its way through the queue would cost more.
	minBatchTime = 100 * time.Millisecond

	// maxExtrapolation is how many times as long as all work it rests on a batch may be
	// estimated to take: the first files may not be like the others.
	maxExtrapolation = 16
)

// priorCost weighs files against bytes while nothing is known: one file counts as
// much as a mebibyte. It is no time.
func priorCost() cost.Cost { return cost.Cost{PerFile: 1, PerByte: 1.0 / (1 << 20)} }

// probeCost bounds a batch, weighed by guess, that is to show what its kind costs.
const probeCost = 16

// Remaining is what is left of a transfer, as far as it is known.
type Remaining struct {
	Files int64
	Bytes int64
}

// Take subtracts files that are planned. Neither number falls below 0.
func (b *Remaining) Take(files, bytes int64) {
	b.Files = max(b.Files-files, 0)
	b.Bytes = max(b.Bytes-bytes, 0)
}

// Budget bounds the batches of one step by what they are estimated to cost. The
// zero value bounds nothing.
type Budget struct {
	cost   cost.Cost // of a file and a byte: learnt, in seconds, or guess
	known  bool
	upper  float64 // of any batch; 0 for no such bound
	parts  float64 // of what is left, one batch is at most one; 0 for no such bound
	shares float64 // upper bound from an equal share when the costs are a guess
}

// NewBudget says how the batches of a step are bounded, given what is known of
// its costs and, when no more files will come, the slots that share the rest.
func NewBudget(e cost.Estimate, target time.Duration, rest Remaining, slots int) Budget {
	r := Budget{cost: priorCost(), known: e.Known}
	if target > 0 {
		r.upper = probeCost
	}
	if slots > 0 {
		r.shares = r.cost.Predict(rest.Files, rest.Bytes) / float64(slots)
	}
	if !e.Known {
		return r
	}
	r = Budget{cost: e.Cost, known: true}
	if target > 0 {
		r.upper = min(target.Seconds(), max(maxExtrapolation*e.Seconds, minBatchTime.Seconds()))
	}
	r.parts = float64(batchesPerSlot * slots)
	return r
}

// most is what the next batch may cost, given what is left with it.
func (r *Budget) most(rest Remaining) float64 {
	most := math.Inf(1)
	if r.upper > 0 {
		most = r.upper
	}
	if r.shares > 0 {
		most = min(most, r.shares)
	}
	if r.parts > 0 {
		most = min(most, max(r.cost.Predict(rest.Files, rest.Bytes)/r.parts, minBatchTime.Seconds()))
	}
	return most
}

// Items is how many files a batch has at most, given what is left; 0 when the
// estimate bounds nothing.
func (r *Budget) Items(rest Remaining) int {
	n := r.most(rest)/r.cost.PerFile + 1
	if !(n < math.MaxInt32) { // infinite, or without a meaning
		return 0
	}
	return int(math.Ceil(n))
}

// Probing reports whether small batches are to show what their kind costs.
func (r *Budget) Probing() bool { return !r.known && r.upper > 0 }
