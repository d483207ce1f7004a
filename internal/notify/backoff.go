package notify

import (
	"time"

	"github.com/balerhq/baler/internal/backoff"
)

// deliveryResult is the outcome of one attempt.
type deliveryResult string

const (
	delivered deliveryResult = "delivered"
	failed    deliveryResult = "failed" // to be repeated
	givenUp   deliveryResult = "given_up"
)

const (
	minBackoff = time.Second
	maxBackoff = time.Hour

	// giveUpAfter is the age of a message, counted from the end of its transfer,
	// after which there are no more attempts.
	giveUpAfter = 24 * time.Hour
)

// nextAttempt is the decision after an attempt.
type nextAttempt struct {
	result deliveryResult
	delay  time.Duration // until the next attempt; 0 for none
}

// decideNext decides after an attempt, counted from 1, to deliver a message of the
// given age. The delay doubles with each attempt, from a second to an hour, with
// jitter, so that messages that failed together are not all repeated together.
func decideNext(err error, attempt int, age time.Duration) nextAttempt {
	if err == nil {
		return nextAttempt{result: delivered}
	}
	delay := max(backoff.Jitter(backoff.Delay(minBackoff, maxBackoff, attempt)), minBackoff)
	if age+delay > giveUpAfter {
		return nextAttempt{result: givenUp}
	}
	return nextAttempt{result: failed, delay: delay}
}
