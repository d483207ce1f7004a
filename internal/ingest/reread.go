package ingest

import (
	"context"
	"errors"

	"github.com/balerhq/baler/internal/fixity"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// ErrRereadChunks says that files which a recipe splits cannot be read again.
var ErrRereadChunks = errors.New("files that a recipe splits cannot be read again: their lines would be loaded twice")

// CompareReread compares the digests of the files that a transfer has read again with
// those that they had before. Files of which one differs are marked as damaged, and
// keep their former results. Without new digests a file stays to be compared.
func (g *Ingester) CompareReread(ctx context.Context, runKey string, transfer int64) error {
	for after := int64(0); ; {
		page, err := g.store.RereadFiles(ctx, runKey, transfer, after, fixity.Page)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].No
		same, damaged, err := g.compare(ctx, transfer, page)
		if err != nil {
			return err
		}
		if err := g.store.SettleReread(ctx, runKey, transfer, tasks.NewRanges(same), tasks.NewRanges(damaged)); err != nil {
			return err
		}
	}
}

func (g *Ingester) compare(ctx context.Context, transfer int64, page []ledger.RereadFile) (same, damaged []int64, err error) {
	compared, err := g.compareContents(ctx, transfer, page)
	if err != nil {
		return nil, nil, err
	}
	for i, f := range page {
		switch compared[i] {
		case fixity.Same, fixity.Unknown:
			same = append(same, f.No)
		case fixity.Differs:
			damaged = append(damaged, f.No)
		case fixity.Unread:
		}
	}
	return same, damaged, nil
}

// compareContents compares the digests of files of a transfer with those that they had.
func (g *Ingester) compareContents(ctx context.Context, transfer int64, page []ledger.RereadFile) ([]fixity.Comparison, error) {
	is, was := make([]tasks.FileKey, len(page)), make([]tasks.FileKey, len(page))
	for i, f := range page {
		is[i], was[i] = tasks.FileKey{Transfer: transfer, File: f.No}, f.Was
	}
	now, err := fixity.FactsOf(ctx, g.store, is)
	if err != nil {
		return nil, err
	}
	before, err := fixity.FormerDigestsOf(ctx, g.store, was)
	if err != nil {
		return nil, err
	}
	compared := make([]fixity.Comparison, len(page))
	for i := range page {
		compared[i] = fixity.Compare(before[was[i]], now[is[i]])
	}
	return compared, nil
}
