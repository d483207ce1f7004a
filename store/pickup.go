package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// Held is a batch as a worker takes it up.
type Held struct {
	tasks.Batch

	Retaken  bool // it may have run before: its Delivery is this worker's own
	Canceled bool // its transfer is canceled: nothing of it is to be run
}

// Pickup reads a batch for a worker that received its message. A batch that is
// closed gives ErrStale, one of a paused transfer ErrPaused. When the batch may
// have run before, the worker takes over: the fencing token is raised. That is
// so when the ledger says it, or when lost says that the queue saw a worker die
// with it.
func (s *Store) Pickup(ctx context.Context, id int64, lost bool) (Held, error) {
	for {
		row, err := s.pickup(ctx, id)
		if err != nil {
			return Held{}, err
		}
		b, err := row.Batch.batch()
		if err != nil {
			return Held{}, fmt.Errorf("pick up batch %d: %w", id, err)
		}
		h := Held{Batch: b, Canceled: row.State == tasks.Dropped}
		if !lost && b.Delivery == 0 {
			return h, nil
		}
		h.Retaken, err = s.takeOver(ctx, &h.Batch, lost)
		if err != nil || h.Retaken {
			return h, err
		}
	}
}

type pickupRow struct {
	Batch    batchRow `gorm:"embedded"`
	State    tasks.State
	PausedAt *time.Time
}

func (s *Store) pickup(ctx context.Context, id int64) (row pickupRow, err error) {
	found := s.db.WithContext(ctx).Raw(`SELECT b.*, t.state, t.paused_at
		FROM batches b JOIN transfers t ON t.id = b.transfer_id WHERE b.id = ?`, id).Scan(&row)
	switch {
	case found.Error != nil:
		return row, fmt.Errorf("pick up batch %d: %w", id, found.Error)
	case found.RowsAffected == 0:
		return row, ErrStale
	case row.PausedAt != nil && row.State != tasks.Dropped:
		return row, ErrPaused
	}
	return row, nil
}

func (s *Store) takeOver(ctx context.Context, b *tasks.Batch, lost bool) (taken bool, err error) {
	total := b.Lost
	if lost {
		total = max(total, 1)
	}
	err = s.write(ctx, "take over batch", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("UPDATE batches SET delivery = delivery + 1, lost = ? WHERE id = ? AND delivery = ?", total, b.ID, b.Delivery)
		taken = u.RowsAffected == 1
		return u.Error
	})
	b.Delivery++
	b.Lost = total
	return taken, err
}

// Charge counts a run that is about to begin as a worker lost: see
// tasks.Batch.Lost. When the batch is no longer the caller's it gives ErrStale.
func (s *Store) Charge(ctx context.Context, b *tasks.Batch) error {
	err := s.write(ctx, "charge batch", func(tx *gorm.DB, _ time.Time) error {
		u := tx.Exec("UPDATE batches SET lost = ? WHERE id = ? AND delivery = ?", b.Lost+1, b.ID, b.Delivery)
		if u.Error == nil && u.RowsAffected == 0 {
			return ErrStale
		}
		return u.Error
	})
	if err == nil {
		b.Lost++
	}
	return err
}
