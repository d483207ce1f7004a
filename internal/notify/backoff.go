package notify

import (
	"math/rand/v2"
	"time"
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
// given age.
func decideNext(err error, attempt int, age time.Duration) nextAttempt {
	if err == nil {
		return nextAttempt{result: delivered}
	}
	delay := backoff(attempt, rand.Float64())
	if age+delay > giveUpAfter {
		return nextAttempt{result: givenUp}
	}
	return nextAttempt{result: failed, delay: delay}
}

// backoff doubles with each attempt, from a second to an hour. The jitter, from 0
// to 1, shortens the delay by up to half, so that messages that failed together
// are not all repeated together.
func backoff(attempt int, jitter float64) time.Duration {
	delay := maxBackoff
	if doublings := attempt - 1; doublings < 12 { // 2¹² s are more than an hour
		delay = min(minBackoff<<doublings, maxBackoff)
	}
	return max(delay-time.Duration(jitter*float64(delay/2)), minBackoff)
}
