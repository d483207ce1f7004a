package baler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
	ErrNotFromList   = errors.New("the transfer was not submitted as a list")
	ErrPathsFromList = errors.New("the transfer was submitted as a list, which has to be submitted again")
)

// ErrListByRequests is the error of ResumeList for a transfer whose files come over HTTP.
var ErrListByRequests = ingest.ErrListByRequests

// ResumeSubmit registers the rest of the files of a transfer whose producer died, and
// seals the transfer. It does not change registered files, and does not register files
// that were added since to folders that the producer had walked. notice is called for
// links and special files, which a scan skips; it may be nil.
func (b *Baler) ResumeSubmit(ctx context.Context, t tasks.Transfer, notice func(scan.SkippedEntry)) (tasks.Transfer, error) {
	if ingest.FromList(t.Sources) {
		return t, cmp.Or(notSealed(&t), ErrPathsFromList)
	}
	if err := b.takeOver(ctx, &t); err != nil {
		return t, err
	}
	return b.ingester.RegisterRest(ctx, t, b.outputFiles, notice)
}

// ResumeList is ResumeSubmit for a transfer that was submitted as a list: list is the same
// list again, in the same order, and may have more paths at its end. It returns
// ErrKeyReused, and registers nothing, when the list does not begin with the paths that are
// registered.
func (b *Baler) ResumeList(
	ctx context.Context, t tasks.Transfer, list io.Reader, nulSeparated bool, notice func(scan.SkippedEntry),
) (tasks.Transfer, error) {
	if !ingest.FromList(t.Sources) {
		return t, cmp.Or(notSealed(&t), ErrNotFromList)
	}
	if err := b.checkListRoots(); err != nil {
		return t, err
	}
	if byRequests, err := b.ingester.ByRequests(ctx, t.ID); err != nil || byRequests {
		return t, cmp.Or(err, notSealed(&t), ingest.ErrListByRequests)
	}
	if err := b.takeOver(ctx, &t); err != nil {
		return t, err
	}
	s := &ingest.TransferRequest{List: list, NulSeparated: nulSeparated, OnSkipped: notice}
	return b.ingester.RegisterRestOfList(ctx, t, s, b.outputFiles)
}

func notSealed(t *tasks.Transfer) error {
	if t.State != tasks.StateOpen && t.State != tasks.StateInterrupted {
		return fmt.Errorf("%w: it is %s", ErrAlreadySealed, t.State)
	}
	return nil
}

// takeOver makes this process the producer of a transfer whose producer has died.
func (b *Baler) takeOver(ctx context.Context, t *tasks.Transfer) error {
	if err := notSealed(t); err != nil {
		return err
	}
	ok, err := b.store.TakeOver(ctx, t.ID)
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
