package finalize

import (
	"context"
	"log/slog"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// patientReader reads files and results, and waits for a database that is away
// for a while: what a finalizer did so far may have taken hours.
type patientReader struct {
	reader handlers.ResultReader
	log    *slog.Logger
}

// FilesAfter implements handlers.ResultReader.
func (p patientReader) FilesAfter(
	ctx context.Context, transfer, after int64, limit int, sizes bool,
) (page []tasks.File, err error) {
	err = db.RetryOutage(ctx, p.log, func() (err error) {
		page, err = p.reader.FilesAfter(ctx, transfer, after, limit, sizes)
		return err
	})
	return page, err
}

// Facts implements handlers.ResultReader.
func (p patientReader) Facts(
	ctx context.Context, transfer int64, before int, files tasks.Ranges,
) (facts map[int64]map[string]any, err error) {
	err = db.RetryOutage(ctx, p.log, func() (err error) {
		facts, err = p.reader.Facts(ctx, transfer, before, files)
		return err
	})
	return facts, err
}

// Results implements handlers.ResultReader.
func (p patientReader) Results(
	ctx context.Context, transfer int64, f tasks.ResultFilter, after tasks.ResultKey, limit int,
) (page []tasks.ResultRow, err error) {
	err = db.RetryOutage(ctx, p.log, func() (err error) {
		page, err = p.reader.Results(ctx, transfer, f, after, limit)
		return err
	})
	return page, err
}
