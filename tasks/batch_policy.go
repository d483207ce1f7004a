package tasks

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// BatchPolicy limits a batch. A zero field is not set: Overlay takes it from the
// base policy. A field that no policy sets is no limit.
type BatchPolicy struct {
	// MaxItems is the largest number of items in a batch.
	MaxItems int

	// MaxBytes is the largest sum of sizes in a batch. A single item that is larger
	// gets a batch of its own.
	MaxBytes int64

	// MaxDelay is how long the first item of a batch waits for others.
	MaxDelay time.Duration

	// Target is how long one batch should run. Once the costs are learned, batches
	// become smaller than the other limits to meet it.
	Target time.Duration
}

// DefaultBatchPolicy is the policy of lowest precedence: 128 items, 256 MiB, one second.
func DefaultBatchPolicy() BatchPolicy {
	return BatchPolicy{MaxItems: 128, MaxBytes: 256 << 20, MaxDelay: time.Second}
}

// Overlay returns p with the fields that p does not set taken from base. So the
// order of calls is the order of precedence:
// step.Overlay(site).Overlay(handler).Overlay(DefaultBatchPolicy()).
func (p BatchPolicy) Overlay(base BatchPolicy) BatchPolicy {
	return BatchPolicy{
		MaxItems: cmp.Or(p.MaxItems, base.MaxItems),
		MaxBytes: cmp.Or(p.MaxBytes, base.MaxBytes),
		MaxDelay: cmp.Or(p.MaxDelay, base.MaxDelay),
		Target:   cmp.Or(p.Target, base.Target),
	}
}

// Validate returns every error in p, joined, or nil.
func (p BatchPolicy) Validate() error {
	var wrong []error
	if p.MaxItems < 0 {
		wrong = append(wrong, fmt.Errorf("max_items is %d; set 1 or more, or leave it out", p.MaxItems))
	}
	if p.MaxBytes < 0 {
		wrong = append(wrong, fmt.Errorf("max_bytes is %d; set 1 or more, or leave it out", p.MaxBytes))
	}
	if p.MaxDelay < 0 {
		wrong = append(wrong, fmt.Errorf("max_delay is %s; set a positive duration such as 250ms, or leave it out", p.MaxDelay))
	}
	if p.Target < 0 {
		wrong = append(wrong, fmt.Errorf("target is %s; set a positive duration such as 30s, or leave it out", p.Target))
	}
	return errors.Join(wrong...)
}
