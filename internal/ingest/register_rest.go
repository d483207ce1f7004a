package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// OutputFinder returns the files inside the sources of a transfer that its final steps write,
// and that no scan may take for its files.
type OutputFinder func(r *recipe.Recipe, name string, sources []string) (map[string]bool, error)

// RegisterRest registers the files of a transfer's sources that are not registered yet,
// and seals the transfer. It becomes the transfer's only producer. It does not register
// files that were added to folders which an earlier producer had walked. notice is called
// for links and special files; it may be nil.
func (g *Ingester) RegisterRest(
	ctx context.Context, t tasks.Transfer, leftOut OutputFinder, notice func(scan.SkippedEntry),
) (tasks.Transfer, error) {
	order, err := scan.ResolveSources(t.Sources)
	if err != nil {
		return t, fmt.Errorf("submit: %w", err)
	}
	runKey, err := g.store.RunKey(ctx, t.ID) // of a transfer that a run began, so that the next run knows its files
	if err != nil {
		return t, err
	}
	r, err := g.NewRegistrar(ctx, t.ID, runKey)
	if err != nil {
		return t, err
	}
	last, err := g.store.LastFileNo(ctx, t.ID) // only now: the registrar keeps a producer that was only slow from adding more
	if err != nil {
		return t, errors.Join(err, r.Close(ctx))
	}
	s := &TransferRequest{Recipe: r.Recipe(), Selection: t.Selection, OnSkipped: notice}
	out, err := leftOut(s.Recipe, t.Name, t.Sources)
	if err != nil {
		return t, errors.Join(err, r.Close(ctx))
	}
	_, err = g.Collect(ctx, s, t.Sources, last, out, func(f tasks.File) error {
		laterChunk := f.Path == last.Path && f.Part > last.Part
		if last.No > 0 && !laterChunk && !scan.SourceOrder(order, last.Path, f.Path) {
			return nil // registered, or skipped, before the producer died
		}
		return r.Add(ctx, f)
	})
	return g.Seal(ctx, t.ID, tasks.ListMark{}, errors.Join(err, r.Close(ctx)))
}
