package baler

import (
	"context"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// producerPoll is how often AwaitProducer looks; a producer that is alive says so every
// few seconds.
const producerPoll = time.Second

// longestAwait is more than a silent producer keeps others waiting when all clocks are right.
const longestAwait = time.Minute

// AwaitProducer waits until the producer of an open transfer has sealed it, or has been
// silent for so long that ResumeSubmit may go on, and returns the transfer as it is then.
// A producer that says meanwhile that it is alive is ErrProducerAlive. waiting is called
// once, when there is something to wait for; it may be nil.
func (b *Baler) AwaitProducer(ctx context.Context, t tasks.Transfer, waiting func(until time.Time)) (tasks.Transfer, error) {
	var first time.Time // when the producer was seen before the wait
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
