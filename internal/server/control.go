package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/balerhq/baler/internal/accounts"
	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/control"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/exchange"
	"github.com/balerhq/baler/internal/export"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/suggest"
	"github.com/balerhq/baler/tasks"
)

// Results implements api.Results.
func (b *Backend) Results(
	ctx context.Context, t tasks.Transfer, f tasks.ResultSelector, after tasks.ResultKey, limit int,
) ([]tasks.ResultRow, error) {
	return b.Store.Results(ctx, t.ID, f, after, limit)
}

// Failures implements api.Results.
func (b *Backend) Failures(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector, limit int) ([]tasks.FailureGroup, error) {
	return b.failures.get(ctx, &t, &f, limit, b.Store.FailureGroups)
}

// FilesAfter implements api.Results.
func (b *Backend) FilesAfter(ctx context.Context, t tasks.Transfer, after int64, limit int) ([]tasks.File, error) {
	return b.Store.ListFiles(ctx, t.ID, after, limit)
}

// Export implements api.Results.
func (b *Backend) Export(ctx context.Context, t tasks.Transfer, f export.Format, w io.Writer) (api.ExportTotals, error) {
	t, n, err := exchange.Export(ctx, b.Store, t.UUID, f, w)
	return api.ExportTotals{Files: n.Files, Results: n.Results, State: t.State}, err
}

// Retry implements api.Control.
func (b *Backend) Retry(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector) (int64, error) {
	n, err := b.Control.Retry(ctx, t, f)
	if errors.Is(err, control.ErrRetryInProgress) {
		err = &api.RequestError{Err: err, Conflict: true}
	}
	return n, err
}

// Update implements api.Control.
func (b *Backend) Update(ctx context.Context, t tasks.Transfer, c tasks.TransferChange) (bool, error) {
	changed, err := b.Control.Update(ctx, t, c)
	if errors.Is(err, tasks.ErrDeadlinePassed) {
		err = &api.RequestError{Field: "deadline", Err: err}
	}
	return changed, err
}

// CancelFiles implements api.Control.
func (b *Backend) CancelFiles(ctx context.Context, t tasks.Transfer, f tasks.ResultSelector) (int64, error) {
	n, err := b.Control.CancelFiles(ctx, t, f)
	if errors.Is(err, control.ErrNothingSelected) {
		err = &api.RequestError{Err: err}
	}
	return n, err
}

// RetryFinalizers implements api.Control.
func (b *Backend) RetryFinalizers(ctx context.Context, t tasks.Transfer) (int64, error) {
	n, err := b.Control.RetryFinalizers(ctx, t)
	if errors.Is(err, control.ErrNotCompleted) {
		err = &api.RequestError{Err: err, Conflict: true}
	}
	return n, err
}

// Decide implements api.Control.
func (b *Backend) Decide(ctx context.Context, t tasks.Transfer, d tasks.Decision) (string, error) {
	d.Who = accounts.From(ctx).Name
	step, err := b.Control.Decide(ctx, t, d)
	if errors.Is(err, store.ErrNoApproval) {
		err = &api.RequestError{Err: err, Conflict: true}
	} else if d.Check() != nil {
		err = &api.RequestError{Field: "comment", Err: err}
	}
	return step, err
}

// FindTransfer implements api.Results.
func (b *Backend) FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error) {
	t, err := b.Control.FindTransfer(db.ReadCommitted(ctx), ref) // what is asked for next may be a change of it
	_, several := errors.AsType[*tasks.AmbiguousError](err)
	switch {
	case several:
		err = &api.RequestError{Err: err, Conflict: true}
	case errors.Is(err, tasks.ErrTransferNotFound):
		err = &api.RequestError{Err: err, Missing: true}
	}
	return t, err
}

// SetWorkerState implements api.Fleet.
func (b *Backend) SetWorkerState(ctx context.Context, name string, desired tasks.DesiredState) error {
	err := b.Control.SetWorkerState(ctx, name, desired)
	if errors.Is(err, control.ErrWorkerNotFound) {
		err = &api.RequestError{Err: err, Missing: true}
	}
	return err
}

// SetWorkerLogLevel implements api.Fleet.
func (b *Backend) SetWorkerLogLevel(ctx context.Context, name, level string) error {
	err := b.Control.SetWorkerLogLevel(ctx, name, level)
	if errors.Is(err, control.ErrWorkerNotFound) {
		err = &api.RequestError{Err: err, Missing: true}
	}
	return err
}

// PauseQueue implements api.Fleet. A queue that is in the state already stays in it.
func (b *Backend) PauseQueue(ctx context.Context, name string, pause bool) error {
	queues, err := b.Control.Queues(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(queues, func(q queue.Stats) bool { return q.Name == name })
	switch {
	case i < 0:
		names := make([]string, len(queues))
		for i := range queues {
			names[i] = queues[i].Name
		}
		return &api.RequestError{Err: fmt.Errorf("there is no queue %q%s", name, suggest.DidYouMean(name, names...)), Missing: true}
	case queues[i].Paused == pause:
		return nil
	}
	return b.Control.PauseQueue(ctx, name, pause)
}
