package server

import (
	"cmp"
	"context"
	"errors"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ingest"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Submit implements api.Submitter.
func (b *Backend) Submit(ctx context.Context, s api.SubmissionRequest) (t tasks.Transfer, created bool, err error) {
	r, err := b.recipeOf(ctx, &s)
	if err != nil {
		return t, false, err
	}
	sub := ingest.TransferRequest{
		Paths: s.Paths, Selection: s.Selection, Recipe: r, Name: s.Name, IdempotencyKey: s.IdempotencyKey, Queue: s.Queue,
		Weight: s.Weight, Via: s.Via, MissingOK: s.MissingOK, Webhooks: s.Webhooks, NoReuse: s.NoReuse,
		StopAfter: s.StopAfter, Deadline: s.Deadline,
	}
	sources, err := b.sources(&sub)
	if err != nil {
		return t, false, err
	}
	intake := ledger.IntakeServer
	if len(s.Paths) == 0 {
		intake, sources = ledger.IntakeRequests, ingest.ListSources()
		via := tasks.ViaGroup // as for a list: files may come slowly
		if b.Queue.Embedded() {
			via = tasks.ViaBulk // the queue ends with this process; the rows do not
		}
		sub.Name, sub.Via = cmp.Or(s.Name, "files over HTTP"), cmp.Or(s.Via, via)
	}
	t, created, err = b.create(ctx, &sub, sources, intake)
	if err == nil && created && intake == ledger.IntakeServer {
		b.registrar.Start(t)
	}
	return t, created, err
}

// create makes the transfer, unless its key has made it before.
func (b *Backend) create(
	ctx context.Context, sub *ingest.TransferRequest, sources []string, intake ledger.Intake,
) (t tasks.Transfer, created bool, err error) {
	t, found, err := b.Ingester.ByKey(ctx, sub, sources)
	if err == nil && !found {
		t, created, err = b.newTransfer(ctx, sub, sources, intake)
	}
	switch {
	case errors.Is(err, ingest.ErrKeyReused):
		err = &api.RequestError{Err: err, Conflict: true}
	case errors.Is(err, tasks.ErrDeadlinePassed):
		err = &api.RequestError{Field: "deadline", Err: err}
	}
	return t, created, err
}

func (b *Backend) newTransfer(
	ctx context.Context, sub *ingest.TransferRequest, sources []string, intake ledger.Intake,
) (t tasks.Transfer, created bool, err error) {
	if err := b.Ingester.CheckPaths(ctx, sub); err != nil {
		return t, false, &api.RequestError{Field: "paths", Err: err}
	}
	if _, err := b.OutputFiles(sub.Recipe, sub.Name, sources); err != nil {
		return t, false, &api.RequestError{Field: "recipe", Err: err}
	}
	return b.Ingester.CreateFor(ctx, sub, sources, intake)
}

// Seal implements api.Submitter.
func (b *Backend) Seal(ctx context.Context, t tasks.Transfer, list tasks.ListMark) error {
	if t.State == tasks.StateCanceled {
		return &api.RequestError{Err: errors.New("the transfer was canceled"), Conflict: true}
	}
	if t.State == tasks.StateOpen || t.State == tasks.StateInterrupted {
		if err := b.takesRequests(ctx, t); err != nil {
			return err
		}
	}
	_, err := b.Ingester.Seal(ctx, t.ID, list, nil)
	return err
}
