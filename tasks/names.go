package tasks

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// How long a name may be: every database holds that much.
const (
	MaxQueueName      = 64  // characters
	MaxIdempotencyKey = 255 // bytes
)

// CheckQueue reports why a queue cannot have this name; "" stands for the default queue.
func CheckQueue(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case n > MaxQueueName:
		return fmt.Errorf("the name of a queue has %d characters at most, not %d", MaxQueueName, n)
	case !utf8.ValidString(name):
		return errors.New("the name of a queue must be UTF-8")
	case name != "" && strings.TrimSpace(name) == "":
		return errors.New("the name of a queue must not consist of spaces only")
	}
	return nil
}

// MaxWeight is the largest weight of a transfer.
const MaxWeight = 100

// CheckWeight reports why a transfer cannot have this weight. 0 means 1.
func CheckWeight(weight int) error {
	if weight < 0 || weight > MaxWeight {
		return fmt.Errorf("a transfer has a weight from 1 to %d, not %d", MaxWeight, weight)
	}
	return nil
}

// CheckIdempotencyKey reports why a submission cannot have this key.
func CheckIdempotencyKey(key string) error {
	if len(key) > MaxIdempotencyKey {
		return fmt.Errorf("an idempotency key has %d bytes at most, not %d; use a hash of it", MaxIdempotencyKey, len(key))
	}
	return nil
}
