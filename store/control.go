package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// Cancel stops a transfer: no more of its files are dispatched, its open
// batches end as canceled when a worker takes them up, and final steps that
// have not ended are canceled. It reports false when
// the transfer had ended already.
func (s *Store) Cancel(ctx context.Context, id int64) (canceled bool, err error) {
	err = s.db.Write(ctx, "cancel transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET state = ?, ended_at = ?, paused_at = NULL WHERE id = ? AND state IN ?",
			tasks.StateCanceled, now, id, unfinishedStates())
		canceled = u.RowsAffected == 1
		if u.Error != nil || !canceled {
			return u.Error
		}
		if err := makeDue(tx, id, now); err != nil {
			return err
		}
		row, err := readRow(tx, id)
		if err != nil {
			return err
		}
		if err := stopFinalizing(tx, row, tasks.FinalizeCanceled); err != nil {
			return err
		}
		return noteWebhooks(tx, row, now)
	})
	return canceled, err
}

// Pause lets nothing more of a transfer start; what is in hand ends. It reports
// false when the transfer has ended or is paused already.
func (s *Store) Pause(ctx context.Context, id int64) (paused bool, err error) {
	err = s.db.Write(ctx, "pause transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET paused_at = ? WHERE id = ? AND paused_at IS NULL AND state IN ?", now, id, unfinishedStates())
		paused = u.RowsAffected == 1
		return u.Error
	})
	return paused, err
}

// Resume lets a paused transfer go on. It reports false when it was not paused.
func (s *Store) Resume(ctx context.Context, id int64) (resumed bool, err error) {
	err = s.db.Write(ctx, "resume transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET paused_at = NULL WHERE id = ? AND paused_at IS NOT NULL", id)
		resumed = u.RowsAffected == 1
		if u.Error != nil || !resumed {
			return u.Error
		}
		return makeDue(tx, id, now) // workers have acknowledged what came meanwhile
	})
	return resumed, err
}

// MakeDue makes a transfer's batches due now.
func (s *Store) MakeDue(ctx context.Context, id int64) error {
	return s.db.Write(ctx, "hurry batches", func(tx *gorm.DB, now time.Time) error { return makeDue(tx, id, now) })
}

// makeDue makes a transfer's batches due, so that the dispatcher sees to them.
func makeDue(tx *gorm.DB, id int64, now time.Time) error {
	err := tx.Exec("UPDATE batches SET due_at = ? WHERE transfer_id = ? AND due_at > ?", now, id, now).Error
	if err != nil {
		return fmt.Errorf("hurry batches: %w", err)
	}
	return nil
}

// producerTTL is after how long without a sign the producer of an open
// transfer counts as dead.
const producerTTL = 30 * time.Second

// MarkInterrupted marks open transfers whose producer has died, and reports how many.
// What they have registered is worked on all the same; a producer that was only
// slow opens them again with its next sign.
func (s *Store) MarkInterrupted(ctx context.Context) (n int64, err error) {
	err = s.db.Write(ctx, "mark interrupted transfers", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET state = ? WHERE state = ? AND seen_at < ?",
			tasks.StateInterrupted, tasks.StateOpen, now.Add(-producerTTL))
		n = u.RowsAffected
		return u.Error
	})
	return n, err
}

// TakeOver gives an open transfer a new producer. It reports false when the
// transfer takes no more files, or its producer is alive.
func (s *Store) TakeOver(ctx context.Context, id int64) (adopted bool, err error) {
	err = s.db.Write(ctx, "adopt transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET state = ?, seen_at = ? WHERE id = ? AND (state = ? OR (state = ? AND seen_at < ?))",
			tasks.StateOpen, now, id, tasks.StateInterrupted, tasks.StateOpen, now.Add(-producerTTL))
		adopted = u.RowsAffected == 1
		return u.Error
	})
	return adopted, err
}

// FilterCanceled tells which of the transfers are canceled.
func (s *Store) FilterCanceled(ctx context.Context, ids []int64) (canceled []int64, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = s.db.Session(ctx).Model(&transferRow{}).Where("id IN ? AND state = ?", ids, tasks.StateCanceled).Pluck("id", &canceled).Error
	if err != nil {
		return nil, fmt.Errorf("look for canceled transfers: %w", err)
	}
	return canceled, nil
}

// BatchesAfter lists batches of the ledger by number, those above after.
func (s *Store) BatchesAfter(ctx context.Context, after int64, limit int) ([]tasks.Batch, error) {
	var rows []batchRow
	if err := s.db.Session(ctx).Where("id > ?", after).Order("id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("list batches: %w", err)
	}
	return toBatches(rows)
}

// LastFileNo is the last file that a transfer has registered; a zero one when
// there is none.
func (s *Store) LastFileNo(ctx context.Context, transfer int64) (tasks.File, error) {
	var rows []fileRow
	err := s.db.Session(ctx).Where("transfer_id = ?", transfer).Order("no DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		if err != nil {
			err = fmt.Errorf("read last file: %w", err)
		}
		return tasks.File{}, err
	}
	return rows[0].file(), nil
}
