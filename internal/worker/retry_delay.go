package worker

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/hibiken/asynq"

	"github.com/balerhq/baler/internal/admission"
	"github.com/balerhq/baler/internal/runner"
)

// retryDelay is how long a batch that was returned to the queue waits before it is
// delivered again. Jitter spreads the deliveries of many batches. The delay does not grow
// with the number of returns, because a return does not mean that the batch has failed,
// unless this worker can never run it.
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
	if lacks, ok := errors.AsType[*runner.NoHandlerError](err); ok {
		return lacks.RetryAfter
	}
	return time.Second + rand.N(2*time.Second)
}

// soon returns a short delay, after which a full worker may have room.
func soon() time.Duration { return 50*time.Millisecond + rand.N(200*time.Millisecond) }
