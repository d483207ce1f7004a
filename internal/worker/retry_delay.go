package worker

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/admission"
)

// retryDelay is how long a batch that went back to the queue waits before it is
// delivered again: long enough not to spin, with jitter so that many do not come
// at once.
func retryDelay(_ int, err error, _ *asynq.Task) time.Duration {
	switch {
	case errors.Is(err, asynq.ErrLeaseExpired):
		return 0
	case errors.Is(err, admission.ErrNoSlots):
		return soon()
	}
	if full, ok := errors.AsType[*admission.ThrottledError](err); ok {
		return full.RetryAfter + soon()
	}
	return time.Second + rand.N(2*time.Second)
}

// soon is when a worker that was full may have room.
func soon() time.Duration { return 50*time.Millisecond + rand.N(200*time.Millisecond) }
