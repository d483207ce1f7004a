package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Worker is a live process that takes batches.
type Worker struct {
	Name      string
	Handlers  []string
	Slots     int // batches it runs at once
	Version   string
	StartedAt time.Time
	SeenAt    time.Time
}

type workerRow struct {
	Name      string `gorm:"primaryKey"`
	Handlers  string // separated by spaces
	Slots     int
	Version   string
	StartedAt time.Time
	SeenAt    time.Time
}

// TableName names the table to GORM.
func (workerRow) TableName() string { return "workers" }

// workerGone is after how long without a sign a worker counts as dead.
const workerGone = 30 * time.Second

// SeeWorker notes that a worker is alive, and forgets those long gone.
func (s *Store) SeeWorker(ctx context.Context, w Worker) error {
	return s.write(ctx, "note worker", func(tx *gorm.DB, now time.Time) error {
		row := workerRow{
			Name: clip(w.Name, 128), Handlers: strings.Join(w.Handlers, " "), Slots: w.Slots, Version: clip(w.Version, 64),
			StartedAt: w.StartedAt.UTC(), SeenAt: now,
		}
		if err := tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error; err != nil {
			return err //nolint:wrapcheck // write wraps
		}
		return tx.Exec("DELETE FROM workers WHERE seen_at < ?", now.Add(-20*workerGone)).Error
	})
}

// ForgetWorker removes a worker that has stopped in order.
func (s *Store) ForgetWorker(ctx context.Context, name string) error {
	return s.write(ctx, "forget worker", func(tx *gorm.DB, _ time.Time) error {
		return tx.Exec("DELETE FROM workers WHERE name = ?", clip(name, 128)).Error
	})
}

// Workers lists the live workers by name.
func (s *Store) Workers(ctx context.Context) ([]Worker, error) {
	var rows []workerRow
	err := s.db.WithContext(ctx).Where("seen_at >= ?", s.stamp().Add(-workerGone)).Order("name").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("list workers: %w", err)
	}
	ws := make([]Worker, len(rows))
	for i, r := range rows {
		ws[i] = Worker{
			Name: r.Name, Handlers: strings.Fields(r.Handlers), Slots: r.Slots, Version: r.Version,
			StartedAt: r.StartedAt.UTC(), SeenAt: r.SeenAt.UTC(),
		}
	}
	return ws, nil
}
