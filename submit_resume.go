package baler

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/tasks"
)

// Errors of ResumeSubmit.
var (
	ErrAlreadySealed = errors.New("the transfer is sealed: all its files are registered")
	ErrProducerAlive = errors.New("the transfer's producer is alive, or was a moment ago")
	ErrPathsFromList = errors.New("the transfer was submitted as a list; submit the rest of the list as a transfer of its own")
)

// ResumeSubmit goes on with registering the files of a transfer whose producer
// died, and seals it. What is registered stays as it is; files that were added
// meanwhile to folders that had been walked already are not taken up.
func (b *Baler) ResumeSubmit(ctx context.Context, t tasks.Transfer, notice func(scan.Skipped)) (tasks.Transfer, error) {
	if t.State != tasks.StateOpen && t.State != tasks.StateInterrupted {
		return t, fmt.Errorf("%w: it is %s", ErrAlreadySealed, t.State)
	}
	if len(t.Sources) == 1 && t.Sources[0] == listed {
		return t, ErrPathsFromList
	}
	ok, err := b.store.TakeOver(ctx, t.ID)
	if err != nil {
		return t, err
	}
	if !ok {
		return t, fmt.Errorf("%w: try again in half a minute", ErrProducerAlive)
	}
	last, err := b.store.LastFileNo(ctx, t.ID)
	if err != nil {
		return t, err
	}
	order, err := scan.ResolveSources(t.Sources)
	if err != nil {
		return t, fmt.Errorf("submit: %w", err)
	}
	lineage, err := b.store.RunKey(ctx, t.ID) // of a transfer that a run began, so that the next knows its files
	if err != nil {
		return t, err
	}
	in, err := b.newRegistrar(ctx, t.ID, lineage)
	if err != nil {
		return t, err
	}
	s := &Submission{Recipe: in.plan.Recipe, OnSkipped: notice, after: last}
	err = b.collect(ctx, s, t.Sources, func(f tasks.File) error {
		behind := f.Path == last.Path && f.Part > last.Part
		if last.No > 0 && !behind && !scan.SourceOrder(order, last.Path, f.Path) {
			return nil // registered, or passed by
		}
		return in.add(ctx, f)
	})
	return b.seal(ctx, t.ID, errors.Join(err, in.close(ctx)))
}

// seal ends a submission that went well. It waits for a database that is away.
func (b *Baler) seal(ctx context.Context, id int64, failed error) (t tasks.Transfer, err error) {
	if failed == nil {
		failed = db.RetryOutage(ctx, b.log, func() error {
			_, err := b.store.Seal(ctx, id)
			return err
		})
	}
	if failed != nil {
		t, err = b.store.TransferByID(context.WithoutCancel(ctx), id)
		return t, errors.Join(fmt.Errorf("submit: %w", failed), err)
	}
	failpoint.Point(failpoint.Sealed)
	err = db.RetryOutage(ctx, b.log, func() error {
		t, err = b.store.TransferByID(ctx, id)
		return err
	})
	return t, err
}
