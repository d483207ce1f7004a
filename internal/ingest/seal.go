package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/failpoint"
	"github.com/balerhq/baler/tasks"
)

// Seal seals the transfer of a submission that went well, and returns the
// transfer. failed is what went wrong with the submission: then the transfer stays
// unsealed, and the error wraps failed. Seal waits for a database that is unavailable.
// list is the mark of the list that was submitted; zero for paths.
func (g *Ingester) Seal(ctx context.Context, id int64, list tasks.ListMark, failed error) (t tasks.Transfer, err error) {
	if failed == nil {
		failed = db.RetryOutage(ctx, g.log, func() error {
			_, err := g.store.SealList(ctx, id, list)
			return err
		})
	}
	if failed != nil {
		t, err = g.store.TransferByID(context.WithoutCancel(ctx), id)
		return t, errors.Join(fmt.Errorf("submit: %w", failed), err)
	}
	failpoint.Point(failpoint.Sealed)
	err = db.RetryOutage(ctx, g.log, func() error {
		t, err = g.store.TransferByID(ctx, id)
		return err
	})
	return t, err
}
