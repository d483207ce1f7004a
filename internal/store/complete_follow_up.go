package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// closeBatches writes the batches that follow and deletes those that are done.
func closeBatches(tx *gorm.DB, held []*completion, now time.Time) error {
	var next []tasks.Batch
	var closed []int64
	for _, r := range held {
		if r.FollowUp != nil {
			next = append(next, r.FollowUp.Batches...)
			closed = append(closed, r.Batch.ID)
		}
	}
	if err := insertBatches(tx, next, now); err != nil {
		return err
	}
	for _, r := range held {
		if r.FollowUp != nil {
			n := len(r.FollowUp.Batches)
			r.Batches, next = next[:n:n], next[n:]
		}
	}
	if len(closed) == 0 {
		return nil
	}
	if err := tx.Exec("DELETE FROM batches WHERE id IN ?", closed).Error; err != nil {
		return fmt.Errorf("close batches: %w", err)
	}
	return nil
}
