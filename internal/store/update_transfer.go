package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// Update changes a transfer that has not ended. It reports false when it has. A limit of
// failures that is reached already stops the transfer at once.
func (s *Store) Update(ctx context.Context, id int64, c tasks.TransferChange) (changed bool, err error) {
	err = s.db.Write(ctx, "update transfer", func(tx *gorm.DB, now time.Time) error {
		set := make(map[string]any)
		if c.Weight != nil {
			set["weight"] = *c.Weight
		}
		if c.StopAfter != nil {
			set["stop_after"] = stopColumn(*c.StopAfter)
		}
		if c.Deadline != nil {
			at, err := deadlineColumn(*c.Deadline, now)
			if err != nil {
				return err
			}
			set["deadline_at"] = at
		}
		row, err := lockTransfer(tx, id, s.db.Dialect())
		if err != nil {
			return err
		}
		if changed = !row.State.Ended(); !changed || len(set) == 0 {
			return nil
		}
		set["updated_at"] = now
		if err := tx.Model(&transferRow{}).Where("id = ?", id).Updates(set).Error; err != nil {
			return err
		}
		return stopAtFailures(tx, id, now)
	})
	return changed, err
}
