package baler

import (
	"context"

	"github.com/balerhq/baler/internal/control"
	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/tasks"
)

// Errors of Retry and RetryFinalizers.
var (
	ErrRetryInProgress = control.ErrRetryInProgress // another process retries the same transfer
	ErrNotCompleted    = control.ErrNotCompleted    // final steps run again only when the transfer has completed
)

// Retry runs the files of the selected results again, from the step of the result on: these
// results and those of later steps become attempts, and no longer count. A filter without
// outcomes selects failures and canceled files. While the transfer runs, only failed files
// can run again. A canceled transfer also continues with emitted files that were not
// registered yet. Retry returns how many files will run; a transfer that had ended runs
// again.
func (b *Baler) Retry(ctx context.Context, t tasks.Transfer, f ResultFilter) (files int64, err error) {
	filter, err := f.of(t)
	if err != nil {
		return 0, err
	}
	return b.control.Retry(ctx, t, filter)
}

// RetryFinalizers runs the failed final steps of a completed transfer again, and no
// files. It returns their number; unless that is 0, the transfer completes again after
// the last of them.
func (b *Baler) RetryFinalizers(ctx context.Context, t tasks.Transfer) (steps int64, err error) {
	return b.control.RetryFinalizers(ctx, t)
}

// Reconcile compares the whole ledger with the queue, and sends the batches that the
// queue has lost. Dispatchers do the same continuously, in small steps.
func (b *Baler) Reconcile(ctx context.Context) (dispatch.ReconcileReport, error) {
	return dispatch.Reconcile(ctx, b.store, b.queue.Producer, b.transfers, b.workerOptions().DispatcherOptions())
}
