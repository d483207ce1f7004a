package baler

import (
	"context"
	"errors"
	"iter"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Earlier implements web.TransferComparer.
func (h *httpFace) Earlier(ctx context.Context, t tasks.Transfer, limit int) ([]tasks.Transfer, error) {
	return h.store.EarlierTransfers(ctx, t.ID, limit)
}

// Compare implements web.TransferComparer.
func (h *httpFace) Compare(
	ctx context.Context, from, to tasks.Transfer, read func(), found func(Difference) error,
) (FixityCounts, error) {
	counts, err := compareTransfers(ctx, countingReader{h.store, read}, from, to, found)
	if errors.Is(err, ErrDiffChunks) || errors.Is(err, ErrDiffRunning) {
		err = &api.RequestError{Err: err}
	}
	return counts, err
}

// countingReader calls read with each file that it reads in the order of paths.
type countingReader struct {
	*store.Store

	read func()
}

// FilesByPath implements fixity.DiffReader.
func (r countingReader) FilesByPath(ctx context.Context, transfer int64, source string) iter.Seq2[tasks.File, error] {
	return func(yield func(tasks.File, error) bool) {
		for f, err := range r.Store.FilesByPath(ctx, transfer, source) {
			r.read()
			if !yield(f, err) {
				return
			}
		}
	}
}

var _ fixity.DiffReader = countingReader{}

// Standing implements web.TransferComparer.
func (h *httpFace) Standing(ctx context.Context, t tasks.Transfer) (found FixityCounts, known bool, err error) {
	if r, err := recipe.Parse("", []byte(t.Recipe)); err != nil || !r.Fixity {
		return found, false, nil //nolint:nilerr // a recipe of another version is of no fixity run that this one knows
	}
	runKey, err := h.store.RunKey(ctx, t.ID)
	if err != nil || runKey == "" {
		return found, false, err
	}
	if found.Damaged, err = h.store.CountDamaged(ctx, runKey); err != nil {
		return found, false, err
	}
	found.Missing, err = h.store.CountMissing(ctx, runKey)
	return found, true, err
}
