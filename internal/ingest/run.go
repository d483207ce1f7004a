package ingest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Registered is what a run has registered.
type Registered struct {
	Transfer     tasks.Transfer // that has the changed files; when none has changed, the one of the run before
	Used         bool           // the transfer has files of this run
	Resumed      bool           // an earlier run began it
	Changes      Changes
	FolderDigest string // see FinalInputs
}

// RegisterChanges registers the files of a run that are new, have changed, or failed, and notes
// those that are gone. With an error, what it returns says how far it came. It needs the run
// lock.
func (g *Ingester) RegisterChanges(
	ctx context.Context, s *TransferRequest, sources []string, runKey string, leftOut map[string]bool,
) (r Registered, err error) {
	latest, err := g.store.Latest(ctx, runKey)
	first := errors.Is(err, tasks.ErrTransferNotFound)
	if err != nil && !first {
		return r, err
	}
	there := sources
	var baseline time.Time
	if s.Recipe.Fixity {
		if baseline, err = g.AddBaseline(ctx, s, sources, runKey); err != nil {
			return r, err
		}
	}
	if (!first || s.Recipe.Fixity) && s.List == nil {
		if there, err = g.PresentSources(ctx, s, sources, runKey); err != nil {
			return r, err
		}
	}
	damaged, err := g.store.CountDamaged(ctx, runKey)
	if err != nil {
		return r, err
	}
	d := g.NewChangeDetector(s, sources, runKey)
	d.FinalStepsLater = s.Reread || damaged > 0
	if !first {
		r.Transfer = latest
		r.Resumed, err = d.Resume(ctx, latest)
	}
	if err == nil && (first || s.Recipe.Fixity) {
		err = d.Begin(ctx)
	}
	if t, ok := d.Transfer(); err == nil && ok && s.Recipe.Fixity {
		err = g.store.NoteBaseline(ctx, t.ID, baseline)
	}
	if err != nil {
		return r, err
	}
	found, err := g.Collect(ctx, s, there, tasks.File{}, leftOut, func(f tasks.File) error { return d.Add(ctx, f) })
	switch err = errors.Join(err, d.Close(ctx)); {
	case err == nil && s.Recipe.Fixity:
		err = d.MarkMissing(ctx)
	case err == nil:
		err = d.RemoveGone(ctx)
	}
	r.Changes, r.FolderDigest = d.Changes(), found.FolderDigest
	if t, used := d.Transfer(); used {
		r.Transfer, r.Used = t, true
	}
	return r, err
}

// EarlierRuns returns the transfers of earlier runs, before a transfer, that a run must also
// wait for: those that have not ended, and those that had not when it began.
func (g *Ingester) EarlierRuns(ctx context.Context, runKey string, before int64, begun []tasks.Transfer) ([]tasks.Transfer, error) {
	all, err := g.store.UnfinishedRuns(ctx, runKey, before)
	if err != nil {
		return nil, err
	}
	for _, t := range begun {
		if t.ID < before && !HasTransfer(all, t.ID) {
			all = append(all, t) // ended since; waiting for it reads how it ended
		}
	}
	slices.SortFunc(all, func(x, y tasks.Transfer) int { return cmp.Compare(x.ID, y.ID) })
	return all, nil
}

// HasTransfer reports whether a transfer is among others.
func HasTransfer(transfers []tasks.Transfer, id int64) bool {
	return slices.ContainsFunc(transfers, func(t tasks.Transfer) bool { return t.ID == id })
}
