package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// ErrNoApproval says that no step waits for what a person has decided.
var ErrNoApproval = errors.New("no such step waits for approval")

// notGated selects batches that no approval keeps back; it is for a query of batches b.
const notGated = `NOT EXISTS (SELECT 1 FROM steps g WHERE g.transfer_id = b.transfer_id AND g.no = b.step_no AND g.approval = 'waiting')`

// Decide lets the files of a step run that waits for approval, or cancels the transfer. It
// returns the name of the step. Of several people who decide at once, the first decides; the
// others get ErrNoApproval.
func (s *Store) Decide(ctx context.Context, transfer int64, d tasks.Decision) (step string, err error) {
	err = s.db.Write(ctx, "decide about a step", func(tx *gorm.DB, now time.Time) error {
		row, err := lockTransfer(tx, transfer, s.db.Dialect())
		if err != nil {
			return err
		}
		found, err := gateOf(tx, &row, d.Step)
		if err != nil {
			return fmt.Errorf("%w in transfer %s; 'baler status %s' shows its steps", err, row.UUID, row.UUID)
		}
		step = found.Name
		line := auditRow{
			At: now, Who: db.ClipText(d.Who, auditWho), Action: audit.ApproveStep, Target: row.UUID + " step " + step, Transfer: row.UUID,
			Result: audit.Done, Detail: db.ClipText(d.Comment, auditText),
		}
		become := tasks.ApprovalApproved
		if d.Reject {
			line.Action, become = audit.RejectStep, tasks.ApprovalRejected
		}
		if err := tx.Create(&line).Error; err != nil {
			return fmt.Errorf("write the audit log: %w", err)
		}
		err = tx.Exec("UPDATE steps SET approval = ?, approved_at = ? WHERE transfer_id = ? AND no = ?", become, now, transfer, found.No).Error
		if err != nil {
			return fmt.Errorf("note the decision: %w", err)
		}
		if d.Reject {
			_, err := cancelTransfer(tx, transfer, now)
			return err
		}
		if err := tx.Exec("UPDATE transfers SET moved_at = ?, stalled = ? WHERE id = ?", now, false, transfer).Error; err != nil {
			return fmt.Errorf("note the decision: %w", err)
		}
		return makeDue(tx, transfer, now) // workers have acknowledged what came meanwhile
	})
	return step, err
}

// gateOf finds the step that a decision is about: the first that waits, or that of a name.
func gateOf(tx *gorm.DB, t *transferRow, name string) (found stepRow, err error) {
	q := tx.Where("transfer_id = ? AND approval = ?", t.ID, tasks.ApprovalWaiting)
	if name != "" {
		q = q.Where("name = ?", name)
	}
	var rows []stepRow
	if err := q.Order("no").Limit(1).Find(&rows).Error; err != nil {
		return found, fmt.Errorf("look for a step that waits: %w", err)
	}
	if len(rows) == 0 || t.State.Ended() {
		return found, ErrNoApproval
	}
	return rows[0], nil
}

// askAgain makes the steps of a transfer that was rejected wait for approval again.
func askAgain(tx *gorm.DB, transfer int64) error {
	err := tx.Exec("UPDATE steps SET approval = ?, asked_at = NULL WHERE transfer_id = ? AND approval = ?",
		tasks.ApprovalWaiting, transfer, tasks.ApprovalRejected).Error
	if err != nil {
		return fmt.Errorf("wait for approval again: %w", err)
	}
	return nil
}

// remindAfter is after which time people are asked again.
const remindAfter = 24 * time.Hour

// NoteApprovals writes the messages about transfers of which nothing is left to do before a
// person has approved a step: once, and again each day until somebody decides.
func (s *Store) NoteApprovals(ctx context.Context) (noted int, err error) {
	const waits = "s.selected > s.succeeded + s.warning + s.skipped + s.failed + s.error + s.timed_out + s.canceled"
	var found []stepRow
	err = s.db.Session(ctx).Raw(`SELECT s.* FROM transfers t JOIN steps s ON s.transfer_id = t.id
		WHERE t.state = ? AND t.paused_at IS NULL AND t.webhooks <> ''
			AND (t.dispatched = t.files OR t.via = ?) AND t.emitted = t.emitted_registered
			AND s.approval = ? AND (s.asked_at IS NULL OR s.asked_at < ?) AND `+waits+`
			AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.transfer_id = t.id AND s.approval <> ? AND `+waits+`)
		ORDER BY s.transfer_id, s.no LIMIT ?`,
		tasks.StateRunning, tasks.ViaGroup, tasks.ApprovalWaiting, s.db.Stamp().Add(-remindAfter), tasks.ApprovalWaiting, stalledPage).
		Scan(&found).Error
	if err != nil {
		return 0, fmt.Errorf("look for steps that wait for approval: %w", err)
	}
	for i := range found {
		step := &found[i]
		err := s.db.Write(ctx, "note that a step waits for approval", func(tx *gorm.DB, now time.Time) error {
			u := tx.Exec(`UPDATE steps SET asked_at = ? WHERE transfer_id = ? AND no = ? AND approval = ? AND (asked_at IS NULL OR asked_at < ?)`,
				now, step.TransferID, step.No, tasks.ApprovalWaiting, now.Add(-remindAfter))
			if u.Error != nil || u.RowsAffected == 0 { // another process was faster
				return u.Error
			}
			row, err := readRow(tx, step.TransferID)
			if err != nil {
				return err
			}
			noted++
			return noteEvent(tx, row, now, tasks.EventApproval, nil)
		})
		if err != nil {
			return noted, err
		}
	}
	return noted, nil
}
