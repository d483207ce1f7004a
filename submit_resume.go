package baler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/sleep"
	"github.com/balerhq/baler/tasks"
)

// Errors of ResumeSubmit.
var (
	ErrAlreadySealed = errors.New("the transfer is sealed: all its files are registered")
	ErrProducerAlive = errors.New("the transfer's producer is alive, or was a moment ago")
	ErrPathsFromList = errors.New("the transfer was submitted as a list; submit the rest of the list as a transfer of its own")
)

// ResumeSubmit registers the rest of the files of a transfer whose producer died, and
// seals the transfer. It does not change registered files, and does not register files
// that were added since to folders that the producer had walked. notice is called for
// links and special files, which a scan skips; it may be nil.
func (b *Baler) ResumeSubmit(ctx context.Context, t tasks.Transfer, notice func(scan.SkippedEntry)) (tasks.Transfer, error) {
	if t.State != tasks.StateOpen && t.State != tasks.StateInterrupted {
		return t, fmt.Errorf("%w: it is %s", ErrAlreadySealed, t.State)
	}
	if ingest.FromList(t.Sources) {
		return t, ErrPathsFromList
	}
	ok, err := b.store.TakeOver(ctx, t.ID)
	if err != nil {
		return t, err
	}
	if !ok {
		return t, fmt.Errorf("%w: try again in half a minute", ErrProducerAlive)
	}
	return b.ingester.RegisterRest(ctx, t, b.outputFiles, notice)
}

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
