package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// unjournaled selects the transfers that have ended and that the journal lacks as they are
// now: one that was retried has ended again since.
func (s *Store) unjournaled(ctx context.Context) *gorm.DB {
	return s.db.Session(ctx).Model(&transferRow{}).
		Where("state IN ? AND ended_at IS NOT NULL AND (journaled_at IS NULL OR journaled_at <> ended_at)",
			[]tasks.State{tasks.StateCompleted, tasks.StateCanceled})
}

// Unjournaled lists transfers that have ended and that the journal lacks as they are now,
// oldest first, those numbered above after, at most limit.
func (s *Store) Unjournaled(ctx context.Context, after int64, limit int) ([]tasks.Transfer, error) {
	var rows []transferRow
	if err := findEach(s.unjournaled(ctx).Where("id > ?", after).Order("id").Limit(limit), &rows, unreadableTransfer); err != nil {
		return nil, fmt.Errorf("list transfers that the journal lacks: %w", err)
	}
	return fromRows(rows, (*transferRow).transfer), nil
}

// CountUnjournaled counts the transfers that Unjournaled lists.
func (s *Store) CountUnjournaled(ctx context.Context) (n int64, err error) {
	if err := s.unjournaled(ctx).Count(&n).Error; err != nil {
		return 0, fmt.Errorf("count transfers that the journal lacks: %w", err)
	}
	return n, nil
}

// MarkJournaled notes that the journal has a transfer as it ended at a time.
func (s *Store) MarkJournaled(ctx context.Context, id int64, ended time.Time) error {
	return s.db.Write(ctx, "mark transfer as journaled", func(tx *gorm.DB, _ time.Time) error {
		return tx.Exec("UPDATE transfers SET journaled_at = ? WHERE id = ?", ended.UTC(), id).Error
	})
}
