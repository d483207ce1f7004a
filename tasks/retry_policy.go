package tasks

import (
	"cmp"
	"time"
)

// RetryPolicy says how often a file that ended as tasks.Error or tasks.OutcomeTimedOut is
// tried, and how long to wait in between. Zero fields take the default: three
// attempts, the second after ten seconds, never more than ten minutes apart.
type RetryPolicy struct {
	Attempts   int           // including the first
	Backoff    time.Duration // before the second attempt; doubled before each that follows
	MaxBackoff time.Duration
}

// WithDefaults fills in what is not set.
func (r RetryPolicy) WithDefaults() RetryPolicy {
	return RetryPolicy{
		Attempts:   cmp.Or(r.Attempts, 3),
		Backoff:    cmp.Or(r.Backoff, 10*time.Second),
		MaxBackoff: cmp.Or(r.MaxBackoff, 10*time.Minute),
	}
}

// Overlay lays r over base: what r sets wins, the rest comes from base.
func (r RetryPolicy) Overlay(base RetryPolicy) RetryPolicy {
	return RetryPolicy{
		Attempts:   cmp.Or(r.Attempts, base.Attempts),
		Backoff:    cmp.Or(r.Backoff, base.Backoff),
		MaxBackoff: cmp.Or(r.MaxBackoff, base.MaxBackoff),
	}
}

// Delay is how long to wait after the given attempt, counted from 1.
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
