package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// ClosingTask is a closing step that is due, or one that somebody has taken.
type ClosingTask struct {
	Transfer int64
	No       int
	Handler  string
	Event    string // UUIDv7, the same at every try of this run of the step
	Tries    int    // begun, the one in hand included
	Delivery int    // the fencing token
}

// ClosingsWanted says which due closing steps to list.
type ClosingsWanted struct {
	Handlers []string
	Lineage  string // of the transfers; empty for any
	Limit    int
}

// DueClosingSteps lists closing steps that somebody with their handler should
// take now: those whose turn it is, whose next try has come, or whose holder
// has not renewed its lease. Those of paused transfers wait.
func (s *Store) DueClosingSteps(ctx context.Context, w ClosingsWanted) ([]ClosingTask, error) {
	if len(w.Handlers) == 0 {
		return nil, nil
	}
	q := s.db.WithContext(ctx).Table("closing_steps c").
		Select("c.transfer_id AS transfer, c.no, c.handler, c.event, c.tries, c.delivery").
		Joins("JOIN transfers t ON t.id = c.transfer_id").
		Where("c.due_at <= ? AND c.handler IN ? AND t.state = ? AND t.paused_at IS NULL", s.stamp(), w.Handlers, tasks.Closing)
	if w.Lineage != "" {
		q = q.Where("t.lineage = ?", w.Lineage)
	}
	var due []ClosingTask
	if err := q.Order("c.due_at").Limit(w.Limit).Scan(&due).Error; err != nil {
		return nil, fmt.Errorf("list due closing steps: %w", err)
	}
	return due, nil
}

// TakeClosingStep takes a due step for one try, which is charged: until the
// lease ends it is nobody else's. It reports false when somebody was faster.
func (s *Store) TakeClosingStep(ctx context.Context, c *ClosingTask, lease time.Duration) (taken bool, err error) {
	err = s.write(ctx, "take closing step", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec(`UPDATE closing_steps SET state = ?, tries = tries + 1, delivery = delivery + 1, due_at = ?
			WHERE transfer_id = ? AND no = ? AND delivery = ? AND due_at <= ?`,
			tasks.ClosingRunning, now.Add(lease), c.Transfer, c.No, c.Delivery, now)
		taken = u.RowsAffected == 1
		return u.Error
	})
	if taken {
		c.Tries++
		c.Delivery++
	}
	return taken, err
}

// RenewClosingStep keeps a step for another lease. It gives ErrStale when the
// step is no longer the caller's: taken over, canceled, or to begin anew.
func (s *Store) RenewClosingStep(ctx context.Context, c *ClosingTask, lease time.Duration) error {
	return s.write(ctx, "renew closing step", func(tx *gorm.DB, now time.Time) error {
		if err := holdClosing(tx, c, s.dialect); err != nil {
			return err
		}
		return tx.Exec("UPDATE closing_steps SET due_at = ? WHERE transfer_id = ? AND no = ?", now.Add(lease), c.Transfer, c.No).Error
	})
}

// HandBackClosingStep gives a step up that was not finished: it is due at once,
// and the try is not charged.
func (s *Store) HandBackClosingStep(ctx context.Context, c *ClosingTask) error {
	return s.write(ctx, "hand back closing step", func(tx *gorm.DB, now time.Time) error {
		if err := holdClosing(tx, c, s.dialect); err != nil {
			return err
		}
		return tx.Exec(`UPDATE closing_steps SET state = ?, tries = tries - 1, delivery = delivery + 1, due_at = ?
			WHERE transfer_id = ? AND no = ?`, tasks.ClosingWaiting, now, c.Transfer, c.No).Error
	})
}

// holdClosing locks a step that must be the caller's.
func holdClosing(tx *gorm.DB, c *ClosingTask, dialect Dialect) error {
	query := "SELECT delivery FROM closing_steps WHERE transfer_id = ? AND no = ?"
	if dialect == MySQL {
		query += " FOR UPDATE"
	}
	var token int
	if err := tx.Raw(query, c.Transfer, c.No).Scan(&token).Error; err != nil {
		return fmt.Errorf("hold closing step: %w", err)
	}
	if token != c.Delivery {
		return ErrStale
	}
	return nil
}

// ClosingEnd is what became of a try of a closing step.
type ClosingEnd struct {
	State  tasks.ClosingState // done or failed; waiting for another try
	Reason string             // what went wrong, or what a person should know
	Again  time.Duration      // until the next try
}

// EndClosingStep notes what became of a try. When the step has ended the next
// one becomes due; with the last one the transfer completes, in the same
// transaction, and completed is true. A caller who has lost the step gets
// ErrStale, and nothing is noted.
func (s *Store) EndClosingStep(ctx context.Context, c *ClosingTask, e ClosingEnd) (completed bool, err error) {
	err = s.write(ctx, "end closing step", func(tx *gorm.DB, now time.Time) error {
		completed = false
		// The transfer first, as all others do who lock both.
		t, err := lockTransfer(tx, c.Transfer, s.dialect)
		if err != nil {
			return err
		}
		if err := holdClosing(tx, c, s.dialect); err != nil {
			return err
		}
		var due *time.Time
		if e.State == tasks.ClosingWaiting {
			due = new(now.Add(e.Again))
		}
		// With a new token, so that this is not done twice when the answer to the
		// commit is lost: the next step may have been taken by then.
		err = tx.Exec("UPDATE closing_steps SET state = ?, error = ?, due_at = ?, delivery = delivery + 1 WHERE transfer_id = ? AND no = ?",
			e.State, clip(e.Reason, 4096), due, c.Transfer, c.No).Error
		if err != nil || e.State == tasks.ClosingWaiting {
			return err
		}
		more, err := nextClosing(tx, c.Transfer, now)
		if err != nil || more {
			return err
		}
		completed = true
		return completeClosed(tx, t, now)
	})
	return completed && err == nil, err
}

// completeClosed completes a transfer whose closing steps have all ended.
func completeClosed(tx *gorm.DB, t transferRow, now time.Time) error {
	t.State, t.EndedAt = tasks.Completed, &now
	if err := tx.Exec("UPDATE transfers SET state = ?, ended_at = ? WHERE id = ?", t.State, now, t.ID).Error; err != nil {
		return fmt.Errorf("complete transfer: %w", err)
	}
	return noteEnd(tx, t, now)
}

// RetryClosing lets the closing steps of a completed transfer that failed run
// again, in their order, and reports how many they are. With some, the
// transfer completes again behind the last of them.
func (s *Store) RetryClosing(ctx context.Context, transfer int64) (n int64, err error) {
	err = s.write(ctx, "retry closing steps", func(tx *gorm.DB, now time.Time) error {
		t, err := lockTransfer(tx, transfer, s.dialect)
		if err != nil {
			return err
		}
		failed := tx.Where("transfer_id = ? AND state = ?", transfer, tasks.ClosingFailed)
		n = 0
		if t.State != tasks.Completed {
			return nil
		}
		if err := failed.Session(&gorm.Session{}).Model(&closingRow{}).Count(&n).Error; err != nil || n == 0 {
			return err
		}
		if err := tx.Exec("UPDATE transfers SET state = ?, ended_at = NULL WHERE id = ?", tasks.Closing, transfer).Error; err != nil {
			return err
		}
		return renewClosing(tx, transfer, now, failed.Session(&gorm.Session{}))
	})
	return n, err
}
