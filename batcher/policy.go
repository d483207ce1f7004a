package batcher

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Policy bounds a batch. A zero field is not set: Over takes it from the
// policy below, and where nothing sets it there is no such bound.
type Policy struct {
	// MaxItems is how many items a batch holds at most.
	MaxItems int `json:"max_items,omitempty" koanf:"max_items" yaml:"max_items,omitempty"`

	// MaxBytes is how many bytes a batch holds at most; a single item that is
	// larger goes alone.
	MaxBytes int64 `json:"max_bytes,omitempty" koanf:"max_bytes" yaml:"max_bytes,omitempty"`

	// MaxDelay is how long the first item of a batch waits for others.
	MaxDelay time.Duration `json:"max_delay,omitempty" koanf:"max_delay" yaml:"max_delay,omitempty"`

	// Target is how long running one batch should take: where costs are learnt,
	// batches shrink below the other bounds to meet it.
	Target time.Duration `json:"target,omitempty" koanf:"target" yaml:"target,omitempty"`
}

// DefaultPolicy is the policy below all others: 128 items, 256 MiB, one second.
func DefaultPolicy() Policy {
	return Policy{MaxItems: 128, MaxBytes: 256 << 20, MaxDelay: time.Second}
}

// Overlay lays p over base: what p sets wins, the rest comes from base. So the
// precedence reads as it is said: step.Over(site).Over(handler).Over(Default()).
func (p Policy) Overlay(base Policy) Policy {
	return Policy{
		MaxItems: cmp.Or(p.MaxItems, base.MaxItems),
		MaxBytes: cmp.Or(p.MaxBytes, base.MaxBytes),
		MaxDelay: cmp.Or(p.MaxDelay, base.MaxDelay),
		Target:   cmp.Or(p.Target, base.Target),
	}
}

// Validate reports everything that is wrong with p, or nil.
func (p Policy) Validate() error {
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

// policyJSON is the JSON form: durations as people write them, as in YAML.
type policyJSON struct {
	MaxItems int    `json:"max_items,omitempty"`
	MaxBytes int64  `json:"max_bytes,omitempty"`
	MaxDelay string `json:"max_delay,omitempty"`
	Target   string `json:"target,omitempty"`
}

// MarshalJSON writes durations as "1.5s", and leaves out what is not set.
func (p Policy) MarshalJSON() ([]byte, error) {
	return json.Marshal(policyJSON{
		MaxItems: p.MaxItems,
		MaxBytes: p.MaxBytes,
		MaxDelay: durationText(p.MaxDelay),
		Target:   durationText(p.Target),
	})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Policy) UnmarshalJSON(data []byte) error {
	var raw policyJSON
	if err := json.Unmarshal(data, &raw); err != nil {
		return fmt.Errorf("batch policy: %w", err)
	}
	delay, errDelay := parseDuration("max_delay", raw.MaxDelay)
	target, errTarget := parseDuration("target", raw.Target)
	if err := errors.Join(errDelay, errTarget); err != nil {
		return fmt.Errorf("batch policy: %w", err)
	}
	*p = Policy{MaxItems: raw.MaxItems, MaxBytes: raw.MaxBytes, MaxDelay: delay, Target: target}
	return nil
}

func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func parseDuration(field, s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", field, err)
	}
	return d, nil
}
