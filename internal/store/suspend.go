package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// Suspend pauses a transfer with invalid rows in the database, and keeps the reason. Other
// transfers continue. Resume ends it, once a person has corrected the rows.
func (s *Store) Suspend(ctx context.Context, transfer int64, reason string) error {
	_, err := s.suspend(ctx, transfer, reason)
	return err
}

func (s *Store) suspend(ctx context.Context, transfer int64, reason string) (known bool, err error) {
	known, err = s.Stop(ctx, transfer, reason)
	if err == nil && known {
		s.db.Log().ErrorContext(ctx, "the database has invalid rows: the transfer is paused until its rows are corrected and it is resumed",
			"transfer", transfer, "reason", reason)
	}
	return known, err
}

// Stop pauses a transfer that cannot go on before a person has corrected something, and
// keeps the reason. It reports false when there is no such transfer.
func (s *Store) Stop(ctx context.Context, transfer int64, reason string) (known bool, err error) {
	err = s.db.Write(ctx, "suspend transfer", func(tx *gorm.DB, now time.Time) error {
		u := tx.Exec("UPDATE transfers SET paused_at = ?, trouble = ? WHERE id = ?", now, db.ClipText(reason, 1024), transfer)
		known = u.RowsAffected == 1
		return u.Error
	})
	return known, err
}

// Suspended lists transfers that Suspend has paused, newest first.
func (s *Store) Suspended(ctx context.Context, limit int) ([]tasks.Transfer, error) {
	var rows []transferRow
	if err := findEach(s.db.Session(ctx).Where("trouble <> ''").Order("id DESC").Limit(limit), &rows, unreadableTransfer); err != nil {
		return nil, fmt.Errorf("list suspended transfers: %w", err)
	}
	return fromRows(rows, (*transferRow).transfer), nil
}

// readable reads batches. A row that is invalid is left out, and pauses its
// transfer: it must not keep other transfers from their batches.
func (s *Store) readable(ctx context.Context, rows []batchRow) ([]tasks.Batch, error) {
	batches := make([]tasks.Batch, 0, len(rows))
	for i := range rows {
		b, err := rows[i].batch()
		if err == nil {
			batches = append(batches, b)
			continue
		}
		if err := s.suspendFor(ctx, &rows[i], err); err != nil {
			return nil, err
		}
	}
	return batches, nil
}

// suspendFor suspends the transfer of a batch that is invalid. A batch without a
// transfer becomes a dead letter.
func (s *Store) suspendFor(ctx context.Context, row *batchRow, why error) error {
	reason := fmt.Sprintf("row %d of batches is invalid: %v", row.ID, why)
	known, err := s.suspend(ctx, row.TransferID, reason)
	if err != nil || known {
		return err
	}
	return s.buryBatch(ctx, row, fmt.Sprintf("%s, and there is no transfer %d", reason, row.TransferID))
}

// buryOrphans makes dead letters of batches that have no transfer, as after a partial
// restore, and returns the others.
func (s *Store) buryOrphans(ctx context.Context, rows []batchRow) ([]batchRow, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].TransferID
	}
	slices.Sort(ids)
	var known []int64
	if err := s.db.Session(ctx).Model(&transferRow{}).Where("id IN ?", slices.Compact(ids)).Pluck("id", &known).Error; err != nil {
		return nil, fmt.Errorf("look for transfers of batches: %w", err)
	}
	kept := rows[:0]
	for i := range rows {
		if slices.Contains(known, rows[i].TransferID) {
			kept = append(kept, rows[i])
			continue
		}
		if err := s.buryBatch(ctx, &rows[i], fmt.Sprintf("there is no transfer %d", rows[i].TransferID)); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// buryBatch makes a dead letter of a batch's row.
func (s *Store) buryBatch(ctx context.Context, row *batchRow, reason string) error {
	content := fmt.Appendf(nil, "id=%d transfer_id=%d step_no=%d attempt=%d queue=%s files=%s",
		row.ID, row.TransferID, row.StepNo, row.Attempt, row.Queue, row.Files)
	s.db.Log().ErrorContext(ctx, "a batch becomes a dead letter", "batch", row.ID, "reason", reason)
	return s.db.Write(ctx, "suspend batch", func(tx *gorm.DB, now time.Time) error {
		if err := addDeadLetter(tx, "row of batches", content, reason, now); err != nil {
			return err
		}
		return tx.Exec("DELETE FROM batches WHERE id = ?", row.ID).Error
	})
}
