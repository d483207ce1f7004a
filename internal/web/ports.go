package web

import (
	"context"
	"time"

	"github.com/balerhq/baler/internal/api"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/queue"
	"github.com/balerhq/baler/tasks"
)

// TransferStore reads transfers from the store.
type TransferStore interface {
	api.Transfers

	// Totals adds up all transfers.
	Totals(ctx context.Context) (ledger.Totals, error)

	// Waiting counts the transfers that stand still, by the reason.
	Waiting(ctx context.Context) (map[ledger.WaitReason]int64, error)

	// Ping reports whether the database answers.
	Ping(ctx context.Context) error
}

// History reads what transfers did. Each call reads few rows, however large a transfer is.
type History interface {
	// SearchTransfers lists the transfers that a query selects; complete is false when older
	// ones were not looked at.
	SearchTransfers(ctx context.Context, q *ledger.TransferQuery) (ts []tasks.Transfer, complete bool, err error)

	// Activity reads what each of some transfers recorded since a time, ascending.
	Activity(ctx context.Context, transfers []int64, since time.Time) (map[int64][]ledger.Activity, error)

	// LastActivity reads up to limit of a transfer's newest slots, ascending.
	LastActivity(ctx context.Context, transfer int64, limit int) ([]ledger.Activity, error)

	// PastBatches reads up to limit batches that ended, newest first; SlowBatches those first
	// that had the slowest files; WaitingBatches the oldest that have not ended.
	PastBatches(ctx context.Context, transfer int64, limit int) ([]ledger.PastBatch, error)
	SlowBatches(ctx context.Context, transfer int64, limit int) ([]ledger.PastBatch, error)
	WaitingBatches(ctx context.Context, transfer int64, limit int) ([]ledger.OpenBatch, error)

	// Deliveries reads up to limit of a transfer's newest webhook messages.
	Deliveries(ctx context.Context, transfer int64, limit int) ([]ledger.Delivery, error)
}

// System reads what transfers run on.
type System interface {
	Recipes() []string
	Recipe(name string) (yaml string, known bool)
	Workers(ctx context.Context) ([]tasks.Worker, error)
	Queues(ctx context.Context) ([]queue.Stats, error)
	Limits(ctx context.Context) ([]tasks.Limit, error)
}
