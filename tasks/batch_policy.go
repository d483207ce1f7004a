package tasks

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// BatchPolicy bounds a batch. A zero field is not set: Over takes it from the
// policy below, and where nothing sets it there is no such bound.
type BatchPolicy struct {
	// MaxItems is how many items a batch holds at most.
	MaxItems int

	// MaxBytes is how many bytes a batch holds at most; a single item that is
	// larger goes alone.
	MaxBytes int64

	// MaxDelay is how long the first item of a batch waits for others.
	MaxDelay time.Duration

	// Target is how long running one batch should take: where costs are learnt,
	// batches shrink below the other bounds to meet it.
	Target time.Duration
}

// DefaultBatchPolicy is the policy below all others: 128 items, 256 MiB, one second.
func DefaultBatchPolicy() BatchPolicy {
	return BatchPolicy{MaxItems: 128, MaxBytes: 256 << 20, MaxDelay: time.Second}
}

// Overlay lays p over base: what p sets wins, the rest comes from base. So the
// precedence reads as it is said: step.Over(site).Over(handler).Over(Default()).
func (p BatchPolicy) Overlay(base BatchPolicy) BatchPolicy {
	return BatchPolicy{
		MaxItems: cmp.Or(p.MaxItems, base.MaxItems),
		MaxBytes: cmp.Or(p.MaxBytes, base.MaxBytes),
		MaxDelay: cmp.Or(p.MaxDelay, base.MaxDelay),
		Target:   cmp.Or(p.Target, base.Target),
	}
}

// Validate reports everything that is wrong with p, or nil.
func (p BatchPolicy) Validate() error {
	var wrong []error
	if p.MaxItems < 0 {
		wrong = append(wrong, fmt.Errorf("max_items is %d: give a number from 1, or leave it out", p.MaxItems))
	}
	if p.MaxBytes < 0 {
		wrong = append(wrong, fmt.Errorf("max_bytes is %d: give a number from 1, or leave it out", p.MaxBytes))
	}
	if p.MaxDelay < 0 {
		wrong = append(wrong, fmt.Errorf("max_delay is %s: give a positive duration as 250ms, or leave it out", p.MaxDelay))
	}
	if p.Target < 0 {
		wrong = append(wrong, fmt.Errorf("target is %s: give a positive duration as 30s, or leave it out", p.Target))
	}
	return errors.Join(wrong...)
}
