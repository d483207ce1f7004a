package server

import (
	"context"
	"errors"

	"github.com/balerhq/baler/internal/control"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// explainedTransfers reads transfers with WaitingFor and WallTime, for the HTTP API.
type explainedTransfers struct {
	*store.Store

	control *control.Controller
}

// Waiting counts the transfers that stand still, by the reason.
func (e explainedTransfers) Waiting(ctx context.Context) (map[ledger.WaitReason]int64, error) {
	around, err := e.control.Surroundings(ctx)
	if err != nil {
		return nil, err
	}
	return e.CountWaiting(ctx, &around)
}

// Transfer is Store.Transfer with WaitingFor and WallTime.
func (e explainedTransfers) Transfer(ctx context.Context, uuid string) (tasks.Transfer, error) {
	t, err := e.Store.Transfer(ctx, uuid)
	if errors.Is(err, tasks.ErrTransferNotFound) && db.Replicated(ctx) { // it may be too new for the replica
		t, err = e.Store.Transfer(db.OnPrimary(ctx), uuid)
	}
	if err != nil {
		return t, err
	}
	one := []tasks.Transfer{t}
	if err = e.control.Explain(ctx, one); err == nil {
		err = e.control.ExplainTime(ctx, &one[0])
	}
	return one[0], err
}

// Transfers is Store.Transfers with WaitingFor.
func (e explainedTransfers) Transfers(ctx context.Context, before int64, limit int) ([]tasks.Transfer, error) {
	ts, err := e.Store.Transfers(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	return ts, e.control.Explain(ctx, ts)
}
