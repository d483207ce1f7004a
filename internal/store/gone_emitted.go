package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// RemoveOrphaned removes emitted files from a collection whose archive, or other origin,
// has left it, or has been registered again since; then the files that it emits now take
// their place. It does not count them, because they were not submitted.
func (s *Store) RemoveOrphaned(ctx context.Context, runKey string) error {
	var emitted []int64
	err := s.db.Session(ctx).Model(&transferRow{}).Where("run_key = ? AND emitted > 0", runKey).Order("id").Pluck("id", &emitted).Error
	if err != nil {
		return fmt.Errorf("look for transfers with emitted files: %w", err)
	}
	for _, transfer := range emitted {
		for {
			n, err := s.removeOrphaned(ctx, runKey, transfer)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
	}
	return nil
}

// removeOrphaned removes a page of them.
func (s *Store) removeOrphaned(ctx context.Context, runKey string, transfer int64) (n int, err error) {
	err = s.db.Write(ctx, "remove emitted files", func(tx *gorm.DB, _ time.Time) error {
		var orphans []int64
		err := tx.Table("seen_files m").Where("m.run_key = ? AND m.transfer_id = ? AND m.top_no > 0", runKey, transfer).
			Where(`NOT EXISTS (SELECT 1 FROM seen_files t
				WHERE t.run_key = m.run_key AND t.transfer_id = m.transfer_id AND t.file_no = m.top_no)`).
			Order("m.file_no").Limit(deletePage).Pluck("m.file_no", &orphans).Error
		if n = len(orphans); err != nil || n == 0 {
			return err
		}
		err = tx.Where("run_key = ? AND transfer_id = ? AND file_no IN ?", runKey, transfer, orphans).Delete(&seenFileRow{}).Error
		if err != nil {
			return err
		}
		return markStale(tx, runKey)
	})
	return n, err
}
