package baler

import (
	"context"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// producerPoll is the time between two polls of AwaitProducer. A producer that is alive
// writes a heartbeat every few seconds.
const producerPoll = time.Second

// longestAwait is longer than any wait for a silent producer. A longer wait means that
// a clock is wrong.
const longestAwait = time.Minute

// AwaitProducer waits until the producer of an open transfer has sealed it, or has been
// silent long enough for ResumeSubmit, and returns the transfer in its state then. It
// returns ErrProducerAlive when the producer writes a heartbeat meanwhile. It calls
// waiting once, before it waits; waiting may be nil.
func (b *Baler) AwaitProducer(ctx context.Context, t tasks.Transfer, waiting func(until time.Time)) (tasks.Transfer, error) {
	var first time.Time // the producer's last heartbeat before the wait
	for {
		now, err := b.store.TransferByID(ctx, t.ID)
		if err != nil {
			return t, err
		}
		if t = now; t.State != tasks.StateOpen {
			return t, nil
		}
		seen, deadAt, err := b.store.ProducerSeen(ctx, t.ID)
		left := deadAt.Sub(b.store.Now())
		switch {
		case err != nil:
			return t, err
		case left <= 0:
			return t, nil
		case left > longestAwait, !first.IsZero() && !seen.Equal(first):
			return t, fmt.Errorf("%w: it was seen at %s", ErrProducerAlive, seen.Format(time.RFC3339))
		case first.IsZero():
			first = seen
			if waiting != nil {
				waiting(deadAt)
			}
			continue
		}
		if err := sleep.For(ctx, min(left, producerPoll)); err != nil {
			return t, err
		}
	}
}
