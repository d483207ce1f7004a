package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// DueFinalizeSteps lists final steps that somebody with their handler should
// take now: those whose turn it is, whose next try has come, or whose holder
// has not renewed its lease. Those of paused transfers wait.
func (s *Store) DueFinalizeSteps(ctx context.Context, w ledger.FinalizeQuery) ([]ledger.FinalizeTask, error) {
	if len(w.Handlers) == 0 {
		return nil, nil
	}
	q := s.db.Session(ctx).Table("finalize_steps c").
		Select("c.transfer_id AS transfer, c.no, c.handler, c.event, c.attempts, c.fencing_token").
		Joins("JOIN transfers t ON t.id = c.transfer_id").
		Where("c.due_at <= ? AND c.handler IN ? AND t.state = ? AND t.paused_at IS NULL", s.db.Stamp(), w.Handlers, tasks.StateFinalizing)
	if w.RunKey != "" {
		q = q.Where("t.run_key = ?", w.RunKey)
	}
	var due []ledger.FinalizeTask
	if err := q.Order("c.due_at").Limit(w.Limit).Scan(&due).Error; err != nil {
		return nil, fmt.Errorf("list due final steps: %w", err)
	}
	return due, nil
}

// ClaimFinalizeStep takes a due step for one try, which is charged: until the
// lease ends it is nobody else's. It reports false when somebody was faster.
func (s *Store) ClaimFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, lease time.Duration) (taken bool, err error) {
	err = s.db.Write(ctx, "take final step", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec(`UPDATE finalize_steps SET state = ?, attempts = attempts + 1, fencing_token = fencing_token + 1, due_at = ?
			WHERE transfer_id = ? AND no = ? AND fencing_token = ? AND due_at <= ?`,
			tasks.FinalizeRunning, now.Add(lease), c.Transfer, c.No, c.FencingToken, now)
		taken = u.RowsAffected == 1
		return u.Error
	})
	if taken {
		c.Attempts++
		c.FencingToken++
	}
	return taken, err
}

// RenewFinalizeStep keeps a step for another lease. It gives ErrLeaseLost when the
// step is no longer the caller's: taken over, canceled, or to begin anew.
func (s *Store) RenewFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, lease time.Duration) error {
	return s.db.Write(ctx, "renew final step", func(tx *gorm.DB, now time.Time) error {
		if err := holdFinalizeStep(tx, c, s.db.Dialect()); err != nil {
			return err
		}
		return tx.Exec("UPDATE finalize_steps SET due_at = ? WHERE transfer_id = ? AND no = ?", now.Add(lease), c.Transfer, c.No).Error
	})
}

// ReleaseFinalizeStep gives a step up that was not finished: it is due at once,
// and the try is not charged.
func (s *Store) ReleaseFinalizeStep(ctx context.Context, c *ledger.FinalizeTask) error {
	return s.db.Write(ctx, "hand back final step", func(tx *gorm.DB, now time.Time) error {
		if err := holdFinalizeStep(tx, c, s.db.Dialect()); err != nil {
			return err
		}
		return tx.Exec(`UPDATE finalize_steps SET state = ?, attempts = attempts - 1, fencing_token = fencing_token + 1, due_at = ?
			WHERE transfer_id = ? AND no = ?`, tasks.FinalizeWaiting, now, c.Transfer, c.No).Error
	})
}

// holdFinalizeStep locks a step that must be the caller's.
func holdFinalizeStep(tx *gorm.DB, c *ledger.FinalizeTask, dialect db.Dialect) error {
	query := "SELECT fencing_token FROM finalize_steps WHERE transfer_id = ? AND no = ?"
	if dialect == db.MySQL {
		query += " FOR UPDATE"
	}
	var token int
	if err := tx.Raw(query, c.Transfer, c.No).Scan(&token).Error; err != nil {
		return fmt.Errorf("hold final step: %w", err)
	}
	if token != c.FencingToken {
		return ledger.ErrLeaseLost
	}
	return nil
}

// FinishFinalizeStep notes what became of a try. When the step has ended the next
// one becomes due; with the last one the transfer completes, in the same
// transaction, and completed is true. A caller who has lost the step gets
// ErrLeaseLost, and nothing is noted.
func (s *Store) FinishFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, e ledger.FinalizeOutcome) (completed bool, err error) {
	err = s.db.Write(ctx, "end final step", func(tx *gorm.DB, now time.Time) error {
		completed = false
		// The transfer first, as all others do who lock both.
		t, err := lockTransfer(tx, c.Transfer, s.db.Dialect())
		if err != nil {
			return err
		}
		if err := holdFinalizeStep(tx, c, s.db.Dialect()); err != nil {
			return err
		}
		var due *time.Time
		if e.State == tasks.FinalizeWaiting {
			due = new(now.Add(e.Again))
		}
		// With a new token, so that this is not done twice when the answer to the
		// commit is lost: the next step may have been taken by then.
		err = tx.Exec(`UPDATE finalize_steps SET state = ?, error = ?, due_at = ?, fencing_token = fencing_token + 1
			WHERE transfer_id = ? AND no = ?`,
			e.State, db.ClipText(e.Reason, 4096), due, c.Transfer, c.No).Error
		if err != nil || e.State == tasks.FinalizeWaiting {
			return err
		}
		more, err := nextFinalizer(tx, c.Transfer, now)
		if err != nil || more {
			return err
		}
		completed = true
		return completeClosed(tx, t, now)
	})
	return completed && err == nil, err
}

// completeClosed completes a transfer whose final steps have all ended.
func completeClosed(tx *gorm.DB, t transferRow, now time.Time) error {
	t.State, t.EndedAt = tasks.StateCompleted, &now
	if err := tx.Exec("UPDATE transfers SET state = ?, ended_at = ? WHERE id = ?", t.State, now, t.ID).Error; err != nil {
		return fmt.Errorf("complete transfer: %w", err)
	}
	return noteWebhooks(tx, t, now)
}

// RetryFinalizeSteps lets the final steps of a completed transfer that failed run
// again, in their order, and reports how many they are. With some, the
// transfer completes again behind the last of them.
func (s *Store) RetryFinalizeSteps(ctx context.Context, transfer int64) (n int64, err error) {
	err = s.db.Write(ctx, "retry final steps", func(tx *gorm.DB, now time.Time) error {
		t, err := lockTransfer(tx, transfer, s.db.Dialect())
		if err != nil {
			return err
		}
		failed := tx.Where("transfer_id = ? AND state = ?", transfer, tasks.FinalizeFailed)
		n = 0
		if t.State != tasks.StateCompleted {
			return nil
		}
		if err := failed.Session(&gorm.Session{}).Model(&finalizeRow{}).Count(&n).Error; err != nil || n == 0 {
			return err
		}
		if err := tx.Exec("UPDATE transfers SET state = ?, ended_at = NULL WHERE id = ?", tasks.StateFinalizing, transfer).Error; err != nil {
			return err
		}
		return renewFinalizing(tx, transfer, now, failed.Session(&gorm.Session{}))
	})
	return n, err
}
