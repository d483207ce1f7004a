package recorder

import (
	"math"
	"time"

	"github.com/balerhq/baler/internal/cost"
)

// BackoffReason is why a worker lowers its concurrency.
type BackoffReason string

// The reasons.
const (
	ReasonSlowCommits BackoffReason = "slow"     // commits took much longer than they used to
	ReasonConflicts   BackoffReason = "conflict" // deadlocks and lock wait timeouts
	ReasonRejected    BackoffReason = "error"    // commits failed
)

const (
	// quick and slow are ratios of the average commit time to the expected one: below
	// quick the limit rises, above slow it falls.
	quick, slow = 2, 3

	// soonEnough is the longest commit that never counts as slow: a shared disk varies
	// that much.
	soonEnough = 50 * time.Millisecond

	// warmUp is how many commits are only measured.
	warmUp = 20

	// settleTime is how long a change must last before the next.
	settleTime = time.Second

	// smoothing is the weight of the last commit in the average.
	smoothing = 0.2
)

// aimd computes the concurrency of a worker: it increases it additively while commits
// are about as fast as before, and decreases it multiplicatively when they are not. The
// limit is at least one and at most most, and begins at most. aimd is pure: it only
// computes.
type aimd struct {
	most     float64
	limit    float64
	expected cost.Sums // seconds ≈ a commit + so much for each result
	commits  int
	pressure float64 // the average of commits' times, in terms of what was expected
	changed  time.Time
}

func newAIMD(most int) *aimd {
	return &aimd{most: float64(max(most, 1)), limit: float64(max(most, 1)), pressure: 1}
}

// of scales the limit to a maximum of n: at least one.
func (t *aimd) of(n int) int {
	return max(1, int(math.Round(float64(n)*t.limit/t.most)))
}

// committed records one commit. It reports whether that lowered the limit.
func (t *aimd) committed(results int, took time.Duration, now time.Time) (lowered bool) {
	t.commits++
	ratio := t.ratio(results, took)
	t.pressure += smoothing * (ratio - t.pressure)
	// Slow commits of a busy database must not become the expectation; but a database
	// that stays slower must. So commits far from the expectation are counted seldom,
	// unless this worker runs at its minimum.
	if ratio <= quick || t.commits <= warmUp || t.limit <= 1 || t.commits%8 == 0 {
		t.expected.Add(1, int64(results), took.Seconds())
	}
	switch {
	case t.commits <= warmUp || now.Sub(t.changed) < settleTime:
	case t.pressure > slow:
		return t.lower(0.5, now)
	case t.pressure <= quick && t.limit < t.most:
		t.limit = min(t.limit+max(1, t.most/8), t.most)
		t.changed = now
	}
	return false
}

// ratio is how many times as long as expected a commit took.
func (t *aimd) ratio(results int, took time.Duration) float64 {
	c, known := t.expected.Solve()
	expected := c.Predict(1, int64(results))
	if !known || took <= soonEnough || expected <= 0 {
		return 1
	}
	return took.Seconds() / max(expected, soonEnough.Seconds()/slow)
}

// onContention records a conflict or an outage. It reports whether that lowered the
// limit.
func (t *aimd) onContention(why BackoffReason, now time.Time) (lowered bool) {
	if now.Sub(t.changed) < settleTime {
		return false
	}
	if why == ReasonConflicts { // single conflicts are normal
		return t.lower(0.75, now)
	}
	return t.lower(0.5, now)
}

func (t *aimd) lower(factor float64, now time.Time) bool {
	before := t.limit
	t.limit = max(1, t.limit*factor)
	t.changed = now
	return t.limit < before
}
