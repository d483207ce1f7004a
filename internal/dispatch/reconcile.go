package dispatch

import (
	"context"
	"errors"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// ReconcileReport is what one reconciliation found and repaired.
type ReconcileReport struct {
	Batches  int64 `json:"batches"`  // in the ledger that no live worker runs
	Resent   int64 `json:"resent"`   // of them, sent because the queue did not have them
	Files    int64 `json:"files"`    // that had neither a batch nor a result, and have a batch now
	Groups   int64 `json:"groups"`   // stranded groups that were restored
	Orphaned int64 `json:"orphaned"` // transfers whose producer has died
}

// ReconcileStore is what Reconcile needs of the store.
type ReconcileStore interface {
	Store
	// BatchesAfter lists the batches numbered above after that no live worker holds, in
	// ascending order. last is the number of the last batch that was read, or 0 when
	// there are no more.
	BatchesAfter(ctx context.Context, after int64, limit int) (batches []tasks.Batch, last int64, err error)
}

// Reconcile compares the whole ledger with the queue and sends missing batches.
// Dispatchers do the same in small steps. It may run while any number of dispatchers run.
func Reconcile(ctx context.Context, s ReconcileStore, q BatchQueue, c *TransferCache, o Options) (r ReconcileReport, err error) {
	d := New(s, q, c, o)
	if r.Orphaned, err = s.MarkInterrupted(ctx); err != nil {
		return r, err
	}
	for _, queue := range o.Queues {
		n, err := q.RepairGroups(ctx, queue, o.Handlers)
		if err != nil {
			return r, err
		}
		r.Groups += n
	}
	if err := d.reconcileBatches(ctx, s, &r); err != nil {
		return r, err
	}
	return r, d.reconcileFiles(ctx, &r)
}

func (d *Dispatcher) reconcileBatches(ctx context.Context, s ReconcileStore, r *ReconcileReport) error {
	for after := int64(0); ; {
		page, last, err := s.BatchesAfter(ctx, after, dueLimit)
		if err != nil || last == 0 {
			return err
		}
		after = last
		r.Batches += int64(len(page))
		resent, err := d.resend(ctx, page)
		r.Resent += int64(resent)
		if err != nil {
			return err
		}
	}
}

// reconcileFiles sweeps every group transfer to its end, without the usual delay. A file
// that waits in the queue for the aggregator may get two batches by that; its result is
// recorded once.
func (d *Dispatcher) reconcileFiles(ctx context.Context, r *ReconcileReport) error {
	for after := int64(0); ; {
		backlogs, err := d.store.Backlogs(ctx, after, transfersPerRound)
		if err != nil || len(backlogs) == 0 {
			return err
		}
		for i := range backlogs {
			b := &backlogs[i]
			after = b.Transfer
			if b.Via != tasks.ViaGroup {
				continue // the dispatcher dispatches those as their windows allow
			}
			n, err := d.sweepAll(ctx, b)
			r.Files += n
			if err != nil {
				return err
			}
		}
	}
}

func (d *Dispatcher) sweepAll(ctx context.Context, b *ledger.Backlog) (files int64, err error) {
	plan, err := d.transfers.Get(ctx, b.Transfer)
	if err != nil {
		return 0, err
	}
	b.SweepMark = b.Files
	for b.Cursor < b.Files {
		n, err := d.sweepOnce(ctx, b, plan, true)
		files += n
		if errors.Is(err, ledger.ErrCursorMoved) {
			return files, nil // a dispatcher is sweeping it
		}
		if err != nil {
			return files, err
		}
	}
	return files, nil
}
