package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// pausedQueue is a queue that a person has paused. Redis has that, too, and may lose it.
type pausedQueue struct {
	Name     string `gorm:"primaryKey"`
	PausedAt time.Time
}

// TableName names the table to GORM.
func (pausedQueue) TableName() string { return "paused_queues" }

// SetQueuePaused notes that a person has paused a queue, or has resumed it.
func (s *Store) SetQueuePaused(ctx context.Context, name string, paused bool) error {
	return s.db.Write(ctx, "note the state of a queue", func(tx *gorm.DB, now time.Time) error {
		if !paused {
			return tx.Exec("DELETE FROM paused_queues WHERE name = ?", name).Error
		}
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&pausedQueue{Name: name, PausedAt: now}).Error
	})
}

// PausedQueues lists the queues that a person has paused, in order.
func (s *Store) PausedQueues(ctx context.Context) (names []string, err error) {
	if err := s.db.Session(ctx).Model(&pausedQueue{}).Order("name").Pluck("name", &names).Error; err != nil {
		return nil, fmt.Errorf("list paused queues: %w", err)
	}
	return names, nil
}
