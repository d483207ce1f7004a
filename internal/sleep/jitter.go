package sleep

import (
	"math/rand/v2"
	"time"
)

// Jitter returns a random duration between half of d and d, so that what failed
// at the same time is not retried at the same time.
func Jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
