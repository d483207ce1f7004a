package web

import (
	"context"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Transfers reads transfers from the store.
type Transfers interface {
	// Transfer returns the transfer with its steps; an error that wraps
	// tasks.ErrTransferNotFound when there is no such transfer.
	Transfer(ctx context.Context, uuid string) (tasks.Transfer, error)

	// Transfers returns up to limit transfers with their steps, newest first,
	// from those whose number is below before; before 0 starts at the newest.
	Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error)

	// Totals adds up all transfers.
	Totals(ctx context.Context) (ledger.Totals, error)

	// Waiting counts the transfers that stand still, by the reason.
	Waiting(ctx context.Context) (map[ledger.WaitReason]int64, error)

	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
}

// page is one keyset page of transfers.
type page struct {
	transfers []tasks.Transfer
	next      string // token of the next page; empty on the last
}

// readPage reads one transfer more than it returns, so that a full last page does
// not link to an empty one.
func readPage(ctx context.Context, ts Transfers, before int64, limit int) (page, error) {
	found, err := ts.Transfers(ctx, before, limit+1)
	if err != nil {
		return page{}, err
	}
	if len(found) <= limit {
		return page{transfers: found}, nil
	}
	found = found[:limit]
	return page{transfers: found, next: encodeToken(found[limit-1].ID)}, nil
}
