package baler

import (
	"context"

	"github.com/balerhq/baler/internal/control"
	"github.com/balerhq/baler/tasks"
)

// Transfer reads a transfer with its live counters by its UUID. It returns
// tasks.ErrTransferNotFound for an unknown id, and a *tasks.DeletedError for the id of
// a deleted transfer.
func (b *Baler) Transfer(ctx context.Context, id string) (tasks.Transfer, error) {
	t, err := b.store.Transfer(ctx, id)
	b.watch.Correct(&t, false)
	return t, err
}

// Transfers lists up to limit transfers with a number below before, newest first;
// before 0 starts at the newest.
func (b *Baler) Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error) {
	return b.store.Transfers(ctx, before, limit)
}

// LatestTransfer is the reference to the newest transfer.
const LatestTransfer = control.LatestTransfer

// ErrEmptyRef is the error for a reference to a transfer without any text.
var ErrEmptyRef = control.ErrEmptyRef

// AmbiguousError is the error of FindTransfer when several transfers fit.
type AmbiguousError = tasks.AmbiguousError

// FindTransfer reads a transfer by its id or the beginning of the id, its number, its
// name, or LatestTransfer. The error is tasks.ErrTransferNotFound when none fits, a
// *tasks.DeletedError when it was deleted, and an *AmbiguousError when several fit.
func (b *Baler) FindTransfer(ctx context.Context, ref string) (tasks.Transfer, error) {
	return b.control.FindTransfer(ctx, ref)
}

// Explain sets WaitingFor of transfers of which nothing runs. It also reads the state of
// a queue on a server; if the server accepts no messages, that is a reason and no error.
func (b *Baler) Explain(ctx context.Context, transfers []tasks.Transfer) error {
	return b.control.Explain(ctx, transfers)
}

// ExplainTime sets WallTime of a transfer. It reads a row for each step and worker.
func (b *Baler) ExplainTime(ctx context.Context, t *tasks.Transfer) error {
	return b.control.ExplainTime(ctx, t)
}
