package store

import (
	"context"
	"fmt"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Prune says which transfers are old enough to be deleted.
type Prune struct {
	Before    time.Time // those that ended before
	KeepLast  int       // this many of the newest stay
	FailedToo bool      // also those with failed files or final steps
	Journaled bool      // only those that the journal has
}

// prunePage is how many transfers Prunable lists at most.
const prunePage = 100

// Prunable lists transfers that have ended and that p chooses, oldest first, those
// numbered above after. It leaves out the newest of each succession of runs, which the
// next run looks at; those in which a file of a run's collection has its result, because
// final steps work over the whole collection, and fixity runs compare with it; and those
// with open batches.
func (s *Store) Prunable(ctx context.Context, p Prune, after int64) ([]tasks.Transfer, error) {
	q := s.db.Session(ctx).Model(&transferRow{}).
		Where("id > ? AND state IN ? AND ended_at < ?", after, []tasks.State{tasks.StateCompleted, tasks.StateCanceled}, p.Before.UTC()).
		Where(`run_key = '' OR EXISTS (SELECT 1 FROM transfers newer WHERE newer.run_key = transfers.run_key AND newer.id > transfers.id)`).
		Where(`run_key = '' OR NOT EXISTS (SELECT 1 FROM seen_files s
			WHERE s.run_key = transfers.run_key AND (s.transfer_id = transfers.id OR s.was_transfer_id = transfers.id)
				AND (s.missing = 0 OR s.accepted = 0))`).
		Where(`sources_key = '' OR NOT EXISTS (SELECT 1 FROM transfers other
			JOIN seen_files s ON s.run_key = other.run_key AND (s.transfer_id = transfers.id OR s.was_transfer_id = transfers.id)
			WHERE other.sources_key = transfers.sources_key AND other.baseline_at IS NOT NULL AND (s.missing = 0 OR s.accepted = 0))`).
		Where("NOT EXISTS (SELECT 1 FROM batches b WHERE b.transfer_id = transfers.id)")
	if p.KeepLast > 0 {
		var kept []int64
		if err := s.db.Session(ctx).Model(&transferRow{}).Order("id DESC").Limit(p.KeepLast).Pluck("id", &kept).Error; err != nil {
			return nil, fmt.Errorf("list newest transfers: %w", err)
		}
		if len(kept) < p.KeepLast {
			return nil, nil
		}
		q = q.Where("id < ?", kept[len(kept)-1])
	}
	if !p.FailedToo {
		q = q.Where("NOT EXISTS (SELECT 1 FROM steps s WHERE s.transfer_id = transfers.id AND s.failed + s.error + s.timed_out > 0)").
			Where("NOT EXISTS (SELECT 1 FROM finalize_steps f WHERE f.transfer_id = transfers.id AND f.state = ?)", tasks.FinalizeFailed)
	}
	if p.Journaled {
		q = q.Where("journaled_at = ended_at")
	}
	var rows []transferRow
	if err := findEach(q.Order("id").Limit(prunePage), &rows, unreadableTransfer); err != nil {
		return nil, fmt.Errorf("list old transfers: %w", err)
	}
	return fromRows(rows, (*transferRow).transfer), nil
}
