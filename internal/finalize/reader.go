package finalize

import (
	"context"
	"log/slog"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Collections reads what final steps work over.
type Collections interface {
	CollectionFiles(ctx context.Context, c ledger.Collection, after tasks.FileKey, limit int) ([]tasks.CollectedFile, error)
	CollectionResults(
		ctx context.Context, c ledger.Collection, f tasks.ResultSelector, after tasks.CollectedKey, limit int,
	) ([]tasks.CollectedResult, error)
	CollectionTotals(ctx context.Context, c ledger.Collection) (files, bytes int64, err error)
	Facts(ctx context.Context, transfer int64, before int, files tasks.Ranges) (map[int64]map[string]any, error)
	TransferByID(ctx context.Context, id int64) (tasks.Transfer, error)

	// RunKey returns the key of a transfer's collection; empty for a transfer without one.
	RunKey(ctx context.Context, transfer int64) (string, error)
}

// collectionReader reads one collection, and waits for a database that is unavailable for a
// while, because the finalizer may already have worked for hours.
type collectionReader struct {
	from Collections
	of   ledger.Collection
	log  *slog.Logger
}

var _ handlers.ResultReader = collectionReader{}

// Files implements handlers.ResultReader.
func (r collectionReader) Files(ctx context.Context, after tasks.FileKey, limit int) (page []tasks.CollectedFile, err error) {
	err = db.RetryOutage(ctx, r.log, func() (err error) {
		page, err = r.from.CollectionFiles(ctx, r.of, after, limit)
		return err
	})
	return page, err
}

// Facts implements handlers.ResultReader.
func (r collectionReader) Facts(
	ctx context.Context, transfer int64, before int, files tasks.Ranges,
) (facts map[int64]map[string]any, err error) {
	err = db.RetryOutage(ctx, r.log, func() (err error) {
		facts, err = r.from.Facts(ctx, transfer, before, files)
		return err
	})
	return facts, err
}

// Results implements handlers.ResultReader.
func (r collectionReader) Results(
	ctx context.Context, outcomes []tasks.Outcome, after tasks.CollectedKey, limit int,
) (page []tasks.CollectedResult, err error) {
	err = db.RetryOutage(ctx, r.log, func() (err error) {
		page, err = r.from.CollectionResults(ctx, r.of, tasks.ResultSelector{Outcomes: outcomes}, after, limit)
		return err
	})
	return page, err
}

// Totals implements handlers.ResultReader.
func (r collectionReader) Totals(ctx context.Context) (files, bytes int64, err error) {
	err = db.RetryOutage(ctx, r.log, func() (err error) {
		files, bytes, err = r.from.CollectionTotals(ctx, r.of)
		return err
	})
	return files, bytes, err
}

// Transfer implements handlers.ResultReader.
func (r collectionReader) Transfer(ctx context.Context, id int64) (t tasks.Transfer, err error) {
	err = db.RetryOutage(ctx, r.log, func() (err error) {
		t, err = r.from.TransferByID(ctx, id)
		return err
	})
	return t, err
}
