package signing

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
)

// reportEvery is how often refused messages are logged: whoever can write to Redis must not
// fill the log.
const reportEvery = time.Minute

// The reasons by which refused messages are counted.
const (
	ReasonUnsigned   = "unsigned"
	ReasonUnknownKey = "unknown_key"
	ReasonWrong      = "wrong"
	ReasonTooLarge   = "too_large"
)

// Reasons returns all of them.
func Reasons() []string {
	return []string{ReasonUnsigned, ReasonUnknownKey, ReasonWrong, ReasonTooLarge}
}

// Checker verifies the messages that a process takes from the queue, and reports those that
// it refuses. A nil *Checker accepts everything. Its fields must not change after the first
// message.
type Checker struct {
	Keys      *Keys
	OnRefused func(reason string) // counts; may be nil
	Log       *slog.Logger

	mu         sync.Mutex
	reported   time.Time
	unreported int
}

// NewChecker makes a checker; nil without keys.
func NewChecker(keys *Keys, onRefused func(reason string), log *slog.Logger) *Checker {
	if keys == nil {
		return nil
	}
	return &Checker{Keys: keys, OnRefused: onRefused, Log: log}
}

// Accept reports whether a message that was taken from a queue is signed. One that is not must
// be dropped, and must leave no trace but the report.
func (c *Checker) Accept(ctx context.Context, queue string, t *asynq.Task) bool {
	if c == nil {
		return true
	}
	err := c.Keys.Verify(queue, t.Type(), t.Payload(), t.Headers()[Header])
	if err == nil {
		return true
	}
	c.refuse(ctx, queue, reasonOf(err), err, 1)
	return false
}

// RefuseTooLarge reports messages that were too large to be read. It returns false when there
// is no checker, and they must be handled otherwise.
func (c *Checker) RefuseTooLarge(ctx context.Context, queue string, messages int) bool {
	if c == nil {
		return false
	}
	c.refuse(ctx, queue, ReasonTooLarge, errTooLarge, messages)
	return true
}

var errTooLarge = errors.New("it is larger than any message of Baler")

func reasonOf(err error) string {
	switch {
	case errors.Is(err, ErrUnsigned):
		return ReasonUnsigned
	case errors.Is(err, ErrUnknownKey):
		return ReasonUnknownKey
	}
	return ReasonWrong
}

// refuse counts messages, and logs the first of each minute with the number of those that were
// not logged.
func (c *Checker) refuse(ctx context.Context, queue, reason string, why error, messages int) {
	if c.OnRefused != nil {
		for range messages {
			c.OnRefused(reason)
		}
	}
	c.mu.Lock()
	c.unreported += messages
	n := c.unreported
	report := time.Since(c.reported) >= reportEvery
	if report {
		c.reported, c.unreported = time.Now(), 0
	}
	c.mu.Unlock()
	if report {
		c.Log.ErrorContext(ctx, "worker: messages of the queue are refused; batches that they belong to are sent again. "+
			"Give all processes the same redis.signing_keys; if they have them ('baler doctor' compares), somebody else writes to Redis",
			"queue", queue, "reason", why, "messages", n)
	}
}
