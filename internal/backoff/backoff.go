// Package backoff computes how long to wait before the next attempt.
package backoff

import (
	"math/rand/v2"
	"time"
)

// Delay returns how long to wait after that many failures in a row, at least one:
// first, and twice as long after each further failure, but never more than limit.
// Both durations must be positive.
func Delay(first, limit time.Duration, failures int) time.Duration {
	d := first
	for ; failures > 1 && d < limit; failures-- {
		if d > limit/2 {
			return limit
		}
		d *= 2
	}
	return min(d, limit)
}

// Jitter returns a random duration between half of d and d, so that what failed at
// the same time is not retried at the same time. d must not be negative.
func Jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }
