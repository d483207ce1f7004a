package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// DueFinalizeSteps lists the final steps that a worker with their handler should
// claim now: those whose turn it is, whose next attempt is due, or whose holder
// has not renewed its lease. Those of paused transfers wait, and so do those of a
// transfer while an earlier one of the same collection has final steps to run, or
// another one is running some. So the last transfer that writes has the results of all.
func (s *Store) DueFinalizeSteps(ctx context.Context, w ledger.FinalizeQuery) ([]ledger.FinalizeTask, error) {
	if len(w.Handlers) == 0 {
		return nil, nil
	}
	now := s.db.Stamp()
	q := s.db.Session(ctx).Table("finalize_steps c").
		Select("c.transfer_id AS transfer, c.no, c.handler, c.event, c.attempts, c.fencing_token").
		Joins("JOIN transfers t ON t.id = c.transfer_id").
		Where("c.due_at <= ? AND c.handler IN ? AND t.state = ? AND t.paused_at IS NULL", now, w.Handlers, tasks.StateFinalizing).
		Where(`t.run_key = '' OR NOT EXISTS (SELECT 1 FROM transfers o JOIN finalize_steps s ON s.transfer_id = o.id
			WHERE o.run_key = t.run_key AND o.id <> t.id AND o.state = ? AND (`+holdsOthersUp+`))`,
			tasks.StateFinalizing, tasks.FinalizeRunning, now)
	if w.RunKey != "" {
		q = q.Where("t.run_key = ?", w.RunKey)
	}
	var due []ledger.FinalizeTask
	unreadable := make(map[int64]error)
	err := scanEach(q.Order("c.due_at").Limit(w.Limit), &due, func(raw rawRow, err error) ledger.FinalizeTask {
		unreadable[raw.number("transfer")] = fmt.Errorf("final step %d: %w", raw.number("no"), err)
		return ledger.FinalizeTask{Transfer: raw.number("transfer")}
	})
	if err != nil {
		return nil, fmt.Errorf("list due final steps: %w", err)
	}
	for _, transfer := range sortedKeys(unreadable) {
		if err := s.Suspend(ctx, transfer, unreadable[transfer].Error()); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(due, func(t ledger.FinalizeTask) bool { return unreadable[t.Transfer] != nil }), nil
}

// holdsOthersUp says which step s of transfer o keeps those of transfer t waiting: one
// that is running under a lease, and any of an earlier transfer that is not paused.
const holdsOthersUp = "s.state = ? AND s.due_at > ? OR o.id < t.id AND o.paused_at IS NULL"

// ClaimFinalizeStep claims a due step for one attempt, which it counts. No other worker can
// claim the step until the lease ends. It reports false when another worker was faster.
func (s *Store) ClaimFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, lease time.Duration) (taken bool, err error) {
	err = s.db.Write(ctx, "take final step", func(tx *gorm.DB, now time.Time) error {
		taken = false
		if held, err := heldUp(tx, c.Transfer, now, s.db.Dialect()); err != nil || held {
			return err
		}
		u := tx.Exec(`UPDATE finalize_steps SET state = ?, attempts = attempts + 1, fencing_token = fencing_token + 1, due_at = ?,
			stale = ?, progress = NULL
			WHERE transfer_id = ? AND no = ? AND fencing_token = ? AND due_at <= ?`,
			tasks.FinalizeRunning, now.Add(lease), false, c.Transfer, c.No, c.FencingToken, now)
		taken = u.RowsAffected == 1
		return u.Error
	})
	if taken {
		c.Attempts++
		c.FencingToken++
	}
	return taken, err
}

// heldUp reports whether a step of another transfer of the collection is running. It
// locks the collection's transfers, so that two workers do not claim two of them at once.
func heldUp(tx *gorm.DB, transfer int64, now time.Time, dialect db.Dialect) (bool, error) {
	row, err := readRow(tx, transfer)
	if err != nil || row.RunKey == "" {
		return false, err
	}
	locked := ""
	if dialect == db.MySQL {
		locked = forUpdate // it also reads what has been committed by now, not when this transaction began
	}
	var all []int64
	if err := tx.Raw("SELECT id FROM transfers WHERE run_key = ? ORDER BY id"+locked, row.RunKey).Scan(&all).Error; err != nil {
		return false, fmt.Errorf("lock a collection: %w", err)
	}
	const query = "SELECT COUNT(*) FROM finalize_steps WHERE transfer_id IN ? AND transfer_id <> ? AND state = ? AND due_at > ?"
	var running int64
	if err := tx.Raw(query+locked, all, transfer, tasks.FinalizeRunning, now).Scan(&running).Error; err != nil {
		return false, fmt.Errorf("look for running final steps: %w", err)
	}
	return running > 0, nil
}

// RenewFinalizeStep keeps a step for another lease, and records how far it is. It gives ErrLeaseLost when the
// step is no longer the caller's: taken over, canceled, or to start again.
func (s *Store) RenewFinalizeStep(ctx context.Context, c *ledger.FinalizeTask, p tasks.Progress, lease time.Duration) error {
	progress, err := progressText(p)
	if err != nil {
		return fmt.Errorf("renew final step: %w", err)
	}
	return s.db.Write(ctx, "renew final step", func(tx *gorm.DB, now time.Time) error {
		if err := holdFinalizeStep(tx, c, s.db.Dialect()); err != nil {
			return err
		}
		return tx.Exec("UPDATE finalize_steps SET due_at = ?, progress = ? WHERE transfer_id = ? AND no = ?",
			now.Add(lease), progress, c.Transfer, c.No).Error
	})
}

// ReleaseFinalizeStep gives a step up that was not finished: it is due at once,
// and the attempt is not counted.
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
		query += forUpdate
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

// FinishFinalizeStep records the outcome of an attempt. When the step has ended the next
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
		err = tx.Exec("UPDATE transfers SET state = ?, ended_at = NULL, deadline_at = NULL WHERE id = ?",
			tasks.StateFinalizing, transfer).Error
		if err != nil {
			return err
		}
		return renewFinalizing(tx, transfer, now, failed.Session(&gorm.Session{}))
	})
	return n, err
}
