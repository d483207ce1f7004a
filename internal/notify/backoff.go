package notify

import (
	"math/rand/v2"
	"time"
)

// What can come of a delivery.
type deliveryResult string

const (
	delivered deliveryResult = "delivered"
	failed    deliveryResult = "failed" // for now
	givenUp   deliveryResult = "given_up"
)

const (
	firstPause = time.Second
	lastPause  = time.Hour

	// patience is how long after a transfer's end deliveries of the news are tried.
	patience = 24 * time.Hour
)

// nextAttempt is what follows a delivery.
type nextAttempt struct {
	result deliveryResult
	again  time.Duration // until the next try; 0 for none
}

// planAfter decides what follows a try, counted from 1, of a message of some age.
func planAfter(err error, try int, age time.Duration) nextAttempt {
	if err == nil {
		return nextAttempt{result: delivered}
	}
	pause := pauseAfter(try, rand.Float64())
	if age+pause > patience {
		return nextAttempt{result: givenUp}
	}
	return nextAttempt{result: failed, again: pause}
}

// pauseAfter doubles from a second to an hour. The jitter, from 0 to 1, takes up
// to half of it off, so that messages that failed together part.
func pauseAfter(try int, jitter float64) time.Duration {
	pause := lastPause
	if doublings := try - 1; doublings < 12 { // 2¹² s are more than an hour
		pause = min(firstPause<<doublings, lastPause)
	}
	return max(pause-time.Duration(jitter*float64(pause/2)), firstPause)
}
