package server

import (
	"context"
	"errors"
	"iter"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// Earlier implements web.TransferComparer.
func (b *Backend) Earlier(ctx context.Context, t tasks.Transfer, limit int) ([]tasks.Transfer, error) {
	return b.Store.EarlierTransfers(ctx, t.ID, limit)
}

// Compare implements web.TransferComparer.
func (b *Backend) Compare(
	ctx context.Context, from, to tasks.Transfer, read func(), found func(fixity.Difference) error,
) (ledger.Fixity, error) {
	counts, err := fixity.Diff(ctx, countingReader{b.Store, read}, &from, &to, found)
	if errors.Is(err, fixity.ErrDiffChunks) || errors.Is(err, fixity.ErrDiffRunning) {
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
func (b *Backend) Standing(ctx context.Context, t tasks.Transfer) (found ledger.Fixity, known bool, err error) {
	if !fixity.HasRecipe(&t) {
		return found, false, nil
	}
	runKey, err := b.Store.RunKey(ctx, t.ID)
	if err != nil || runKey == "" {
		return found, false, err
	}
	if found.Damaged, err = b.Store.CountDamaged(ctx, runKey); err != nil {
		return found, false, err
	}
	found.Missing, err = b.Store.CountMissing(ctx, runKey)
	return found, true, err
}
