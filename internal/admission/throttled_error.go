package admission

import (
	"fmt"
	"time"
)

// ThrottledError sends a batch back to the queue, for another worker or for later:
// what people or the database allow leaves no room for it here. No attempt is
// charged.
type ThrottledError struct {
	Reason     LimitReason   // what is reached
	Limit      string        // key of the ceiling; empty for the intake
	RetryAfter time.Duration // when there may be room; 0 when nobody knows
}

func (t *ThrottledError) Error() string {
	return fmt.Sprintf("no room for a batch: the bound on %s over %q is reached", t.Reason, t.Limit)
}

// LimitReason is what keeps a batch out.
type LimitReason string
