package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// Errors of a transfer that another process is to continue.
var (
	ErrAlreadySealed = errors.New("the transfer is sealed: all its files are registered")
	ErrProducerAlive = errors.New("the transfer's producer is alive, or was a moment ago")
)

// NotSealed reports an ErrAlreadySealed for a transfer that gets no more files.
func NotSealed(t *tasks.Transfer) error {
	if t.State != tasks.StateOpen && t.State != tasks.StateInterrupted {
		return fmt.Errorf("%w: it is %s", ErrAlreadySealed, t.State)
	}
	return nil
}

// TakeOver makes this process the producer of a transfer whose producer has died.
func (g *Ingester) TakeOver(ctx context.Context, t *tasks.Transfer) error {
	if err := NotSealed(t); err != nil {
		return err
	}
	ok, err := g.store.TakeOver(ctx, t.ID)
	if err == nil && !ok {
		err = fmt.Errorf("%w: try again in half a minute", ErrProducerAlive)
	}
	return err
}

// producerPoll is the time between two polls of AwaitProducer. A producer that is alive
// writes a heartbeat every few seconds.
const producerPoll = time.Second

// longestAwait is longer than any wait for a silent producer. A longer wait means that
// a clock is wrong.
const longestAwait = time.Minute

// AwaitProducer waits until the producer of an open transfer has sealed it, or has been
// silent long enough for TakeOver, and returns the transfer in its state then. It
// returns ErrProducerAlive when the producer writes a heartbeat meanwhile. It calls
// waiting once, before it waits; waiting may be nil.
func (g *Ingester) AwaitProducer(ctx context.Context, t tasks.Transfer, waiting func(until time.Time)) (tasks.Transfer, error) {
	var first time.Time // the producer's last heartbeat before the wait
	for {
		now, err := g.store.TransferByID(ctx, t.ID)
		if err != nil {
			return t, err
		}
		if t = now; t.State != tasks.StateOpen {
			return t, nil
		}
		seen, deadAt, err := g.store.ProducerSeen(ctx, t.ID)
		left := deadAt.Sub(g.store.Now())
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
