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
	Wish      Wish           // what a person wants of it
	Held      map[string]int // batches that it may have of each ceiling until it is seen again, by Ceiling.Key
	StartedAt time.Time
	SeenAt    time.Time
}

// Wish is what a person wants of a worker.
type Wish string

// The wishes.
const (
	Go    Wish = ""      // take batches
	Rest  Wish = "pause" // take none until told to go
	Leave Wish = "drain" // finish what is in hand, and end
)

type workerRow struct {
	Name      string `gorm:"primaryKey"`
	Handlers  string // separated by spaces
	Slots     int
	Version   string
	Wish      Wish
	Held      string // JSON
	StartedAt time.Time
	SeenAt    time.Time
}

// TableName names the table to GORM.
func (workerRow) TableName() string { return "workers" }

// workerGone is after how long without a sign a worker counts as dead.
const workerGone = 30 * time.Second

// Orders are what a worker is told when it is seen.
type Orders struct {
	Wish  Wish
	Parts []Part // of every ceiling
}

// SeeWorker notes that a worker is alive, and what it holds of each ceiling at
// most until it hears the answer. It forgets workers long gone, and tells what
// people want of this one.
func (s *Store) SeeWorker(ctx context.Context, w Worker) (o Orders, err error) {
	err = s.write(ctx, "note worker", func(tx *gorm.DB, now time.Time) error {
		row := workerRow{
			Held: encodeHeld(w.Held),
			Name: clip(w.Name, 128), Handlers: strings.Join(w.Handlers, " "), Slots: w.Slots, Version: clip(w.Version, 64),
			StartedAt: w.StartedAt.UTC(), SeenAt: now,
		}
		if o, err = orders(tx, &row, now); err != nil {
			return err
		}
		keepWish := clause.OnConflict{
			Columns:   []clause.Column{{Name: "name"}},
			DoUpdates: clause.AssignmentColumns([]string{"handlers", "slots", "version", "held", "started_at", "seen_at"}),
		}
		if err := tx.Clauses(keepWish).Create(&row).Error; err != nil {
			return err
		}
		return tx.Exec("DELETE FROM workers WHERE seen_at < ?", now.Add(-20*workerGone)).Error
	})
	return o, err
}

// orders reads what is wanted of a worker, and claims its parts for it.
func orders(tx *gorm.DB, row *workerRow, now time.Time) (o Orders, err error) {
	ceilings, err := lockCeilings(tx)
	if err != nil {
		return o, err
	}
	if err := tx.Model(&workerRow{}).Where("name = ?", row.Name).Select("wish").Scan(&o.Wish).Error; err != nil {
		return o, err
	}
	row.Wish = o.Wish
	if len(ceilings) == 0 {
		return o, nil
	}
	var live []workerRow
	if err := tx.Select("name", "wish", "held").Where("seen_at >= ?", now.Add(-workerGone)).Find(&live).Error; err != nil {
		return o, err
	}
	o.Parts = allot(ceilings, row, live)
	return o, nil
}

// WishWorker says what a person wants of a worker; it sees it with its next
// sign of life. It reports false when there is no such worker.
func (s *Store) WishWorker(ctx context.Context, name string, wish Wish) (known bool, err error) {
	err = s.write(ctx, "tell worker", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("UPDATE workers SET wish = ? WHERE name = ?", wish, clip(name, 128))
		known = u.RowsAffected == 1
		return u.Error
	})
	return known, err
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
			Name: r.Name, Handlers: strings.Fields(r.Handlers), Slots: r.Slots, Version: r.Version, Wish: r.Wish, Held: r.held(),
			StartedAt: r.StartedAt.UTC(), SeenAt: r.SeenAt.UTC(),
		}
	}
	return ws, nil
}
