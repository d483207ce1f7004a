package web

import (
	"context"

	"github.com/balerhq/baler/internal/api"

	"github.com/balerhq/baler/internal/ledger"
)

// Transfers reads transfers from the store.
type Transfers interface {
	api.Transfers

	// Totals adds up all transfers.
	Totals(ctx context.Context) (ledger.Totals, error)

	// Waiting counts the transfers that stand still, by the reason.
	Waiting(ctx context.Context) (map[ledger.WaitReason]int64, error)

	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
}
