package baler

import (
	"context"
	"errors"
	"time"

	"github.com/balerhq/baler/internal/retention"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/tasks"
)

// Errors of Delete.
var (
	ErrNotEnded     = store.ErrNotEnded     // the transfer has not ended: cancel it first, or force
	ErrStillRunning = store.ErrStillRunning // batches of a canceled transfer still run: wait, or force
)

// Delete deletes a transfer that has ended: its files, results, attempts and counters.
// Files and other data that handlers and final steps wrote stay. Afterwards its id gives
// a *tasks.DeletedError, and a later Run registers its files again. With force, Delete
// first cancels a transfer that has not ended; results that workers still have of it
// are refused.
//
// Delete works in small transactions. When ctx ends before the last one, a worker
// deletes the rest.
func (b *Baler) Delete(ctx context.Context, t tasks.Transfer, force bool) error {
	if force {
		if _, err := b.store.Cancel(ctx, t.ID); err != nil {
			return err
		}
	}
	err := b.store.DeleteTransfer(ctx, t.ID, store.Deletion{Forget: true, Force: force})
	if errors.Is(err, tasks.ErrTransferNotFound) {
		_, err = b.store.Transfer(ctx, t.UUID) // another was faster
	}
	if err != nil {
		return err
	}
	return b.store.PurgeDeleted(ctx)
}

// PruneOptions say which transfers Prune deletes.
type PruneOptions struct {
	OlderThan time.Duration // time since they ended
	KeepLast  int           // the newest transfers are kept, however old they are
	FailedToo bool          // also those with failed files or final steps
	DryRun    bool          // calls deleted for each transfer, but deletes nothing
}

// Prune deletes old transfers, and calls deleted for each. It keeps the newest transfer
// of each sequence of runs. It also keeps the list of files that runs have processed, so
// that the next run does not process unchanged files again.
func (b *Baler) Prune(ctx context.Context, o PruneOptions, deleted func(tasks.Transfer)) error {
	p := store.Prune{Before: b.now().Add(-o.OlderThan), KeepLast: o.KeepLast, FailedToo: o.FailedToo}
	if !o.DryRun {
		return retention.Prune(ctx, b.store, p, deleted)
	}
	var after int64
	for {
		page, err := b.store.Prunable(ctx, p, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			after = page[i].ID
			deleted(page[i])
		}
	}
}
