package admission

import (
	"fmt"
	"time"
)

// ThrottledError sends a batch back to the queue, for another worker or for later:
// a limit leaves no room for it here. No attempt is counted.
type ThrottledError struct {
	Reason     LimitReason   // which kind of limit is reached
	Limit      string        // key of the limit
	RetryAfter time.Duration // when there may be room; 0 when unknown

	blocked bool // the worker has no share, so that waiting here does not help
}

// patience is how long the batch may wait in the worker for room.
func (t *ThrottledError) patience() time.Duration {
	if t.Reason == LimitRate {
		return ratePatience
	}
	return patience
}

func (t *ThrottledError) Error() string {
	return fmt.Sprintf("no room for a batch: the limit on %s over %q is reached", t.Reason, t.Limit)
}

// LimitReason is the kind of limit that keeps a batch out.
type LimitReason string
