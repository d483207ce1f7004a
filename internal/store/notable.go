package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// noteFirstFailure writes the messages about the first failure of a transfer.
func noteFirstFailure(tx *gorm.DB, id int64, now time.Time) error {
	u := tx.Exec("UPDATE transfers SET failing = ? WHERE id = ? AND failing = ? AND webhooks <> ''", true, id, false)
	if u.Error != nil {
		return fmt.Errorf("note the first failure: %w", u.Error)
	}
	if u.RowsAffected == 0 {
		return nil
	}
	row, err := readRow(tx, id)
	if err != nil {
		return err
	}
	return noteEvent(tx, row, now, tasks.EventFailing, nil)
}

// stalledPage is how many transfers one NoteStalled looks at.
const stalledPage = 100

// NoteStalled writes the messages about transfers that have recorded no result for a time, and
// reports of how many. It is written once, and again when the transfer has moved since. A
// transfer that is paused, waits for approval, or whose final step runs, does not stand still.
func (s *Store) NoteStalled(ctx context.Context, after time.Duration) (noted int, err error) {
	before := s.db.Stamp().Add(-after)
	slot := ledger.SlotOf(before)
	const silent = "NOT EXISTS (SELECT 1 FROM activity a WHERE a.transfer_id = t.id AND a.slot >= ?)"
	var found []struct {
		ID      int64
		Stalled bool
	}
	err = s.db.Session(ctx).Raw(`SELECT t.id, t.stalled FROM transfers t WHERE t.state IN ? AND t.webhooks <> ''
			AND (t.stalled = ? AND NOT (`+silent+`)
				OR t.stalled = ? AND t.paused_at IS NULL AND t.created_at < ? AND (t.moved_at IS NULL OR t.moved_at < ?) AND `+silent+`
				AND NOT EXISTS (SELECT 1 FROM finalize_steps f WHERE f.transfer_id = t.id AND f.state = ?)
				AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.transfer_id = t.id AND s.asked_at IS NOT NULL AND s.approval = ?))
		ORDER BY t.id LIMIT ?`,
		unfinishedStates(), true, slot, false, before, before, slot, tasks.FinalizeRunning, tasks.ApprovalWaiting,
		stalledPage).Scan(&found).Error
	if err != nil {
		return 0, fmt.Errorf("look for transfers that stand still: %w", err)
	}
	for _, t := range found {
		err := s.db.Write(ctx, "note that a transfer stands still", func(tx *gorm.DB, now time.Time) error {
			u := tx.Exec("UPDATE transfers SET stalled = ? WHERE id = ? AND stalled = ? AND state IN ?",
				!t.Stalled, t.ID, t.Stalled, unfinishedStates())
			if u.Error != nil || u.RowsAffected == 0 || t.Stalled { // another process was faster, or it moves again
				return u.Error
			}
			row, err := readRow(tx, t.ID)
			if err != nil {
				return err
			}
			return noteEvent(tx, row, now, tasks.EventStalled, nil)
		})
		if err != nil {
			return noted, err
		}
		if !t.Stalled {
			noted++
		}
	}
	return noted, nil
}
