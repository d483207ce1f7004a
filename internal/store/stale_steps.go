package store

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// markStale notes that a collection has changed: what final steps wrote of it does not
// cover it any more, and those that are running may have missed it.
func markStale(tx *gorm.DB, runKey string) error {
	if runKey == "" {
		return nil
	}
	err := tx.Exec("UPDATE finalize_steps SET stale = ? WHERE stale = ? AND transfer_id IN (SELECT id FROM transfers WHERE run_key = ?)",
		true, false, runKey).Error
	if err != nil {
		return fmt.Errorf("mark final steps as stale: %w", err)
	}
	return nil
}

// OpenFinalSteps returns those of the digests of which no final step has run, or will
// run, over the collection as it is. A step that failed counts as run when its transfer
// is one of tried.
func (s *Store) OpenFinalSteps(ctx context.Context, runKey string, digests []string, tried []int64) (open []string, err error) {
	if len(digests) == 0 {
		return nil, nil
	}
	var rows []struct {
		TransferID    int64
		Digest        string
		State         tasks.FinalizeState
		Stale         bool
		TransferState tasks.State
	}
	err = s.db.Session(ctx).Table("finalize_steps s").
		Select("s.transfer_id, s.digest, s.state, s.stale, t.state AS transfer_state").
		Joins("JOIN transfers t ON t.id = s.transfer_id").
		Where("t.run_key = ? AND s.digest IN ?", runKey, digests).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("look for final steps that have run: %w", err)
	}
	covered := make(map[string]bool)
	for _, r := range rows {
		switch {
		case r.State == tasks.FinalizeWaiting && !r.TransferState.Ended():
			covered[r.Digest] = true // it will read what is there then
		case r.Stale:
		case r.State == tasks.FinalizeDone, r.State == tasks.FinalizeRunning,
			r.State == tasks.FinalizeFailed && slices.Contains(tried, r.TransferID):
			covered[r.Digest] = true
		}
	}
	for _, d := range digests {
		if !covered[d] {
			open = append(open, d)
		}
	}
	return open, nil
}
