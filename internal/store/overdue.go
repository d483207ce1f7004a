package store

import (
	"context"
	"fmt"
	"time"
)

// Overdue counts the batches of transfers that are not paused which the dispatcher
// should have looked after before a time.
func (s *Store) Overdue(ctx context.Context, before time.Time) (n int64, err error) {
	err = s.db.Session(ctx).Model(&batchRow{}).Where("due_at < ?", before.UTC()).
		Where("NOT EXISTS (SELECT 1 FROM transfers t WHERE t.id = batches.transfer_id AND t.paused_at IS NOT NULL)").Count(&n).Error
	if err != nil {
		return 0, fmt.Errorf("count overdue batches: %w", err)
	}
	return n, nil
}
