package tasks

import (
	"cmp"
	"time"
)

// RetryPolicy sets how many attempts a file gets that ends as OutcomeError or
// OutcomeTimedOut, and the wait between them. WithDefaults fills zero fields: three
// attempts, the second after ten seconds, at most ten minutes apart.
type RetryPolicy struct {
	Attempts   int           // including the first
	Backoff    time.Duration // before the second attempt; doubles before each further one
	MaxBackoff time.Duration
}

// WithDefaults returns r with defaults in the fields that are zero.
func (r RetryPolicy) WithDefaults() RetryPolicy {
	return RetryPolicy{
		Attempts:   cmp.Or(r.Attempts, 3),
		Backoff:    cmp.Or(r.Backoff, 10*time.Second),
		MaxBackoff: cmp.Or(r.MaxBackoff, 10*time.Minute),
	}
}

// Overlay returns r with the fields that r does not set taken from base.
func (r RetryPolicy) Overlay(base RetryPolicy) RetryPolicy {
	return RetryPolicy{
		Attempts:   cmp.Or(r.Attempts, base.Attempts),
		Backoff:    cmp.Or(r.Backoff, base.Backoff),
		MaxBackoff: cmp.Or(r.MaxBackoff, base.MaxBackoff),
	}
}

// Delay returns how long to wait after the given attempt, from 1.
func (r RetryPolicy) Delay(attempt int) time.Duration {
	d := r.Backoff
	for range attempt - 1 {
		if d >= r.MaxBackoff/2 {
			return r.MaxBackoff
		}
		d *= 2
	}
	return min(d, r.MaxBackoff)
}
