package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// stopColumn is a limit of failures as its column holds it.
func stopColumn(s tasks.StopAfter) string {
	if s == (tasks.StopAfter{}) {
		return ""
	}
	return s.String()
}

// stopAtFailures pauses a transfer to which a transaction has added failures, when its limit
// is reached. The lock on the transfer lets one transaction after another look, and each
// sees what those before have counted: no failure is missed.
func stopAtFailures(tx *gorm.DB, id int64, now time.Time) error {
	query := "SELECT * FROM transfers WHERE id = ? AND stop_after <> '' AND stopped = '' AND state IN ?"
	if tx.Name() == string(db.MySQL) {
		query += forUpdate
	}
	var t transferRow
	if err := tx.Raw(query, id, unfinishedStates()).Scan(&t).Error; err != nil {
		return fmt.Errorf("read how many failures stop a transfer: %w", err)
	}
	limit, err := tasks.ParseStopAfter(t.StopAfter)
	if t.ID == 0 || err != nil {
		return nil //nolint:nilerr // a limit that cannot be read is reported where the transfer is shown; results must not wait for it
	}
	steps, err := unseenCounts(tx, id)
	if err != nil {
		return err
	}
	if t.Stopped = limit.Reached(steps); t.Stopped == "" {
		return nil
	}
	if t.PausedAt == nil {
		t.PausedAt = &now
	}
	if err := tx.Exec("UPDATE transfers SET paused_at = ?, stopped = ? WHERE id = ?", t.PausedAt, t.Stopped, id).Error; err != nil {
		return fmt.Errorf("stop transfer: %w", err)
	}
	line := auditRow{At: now, Who: audit.Baler, Action: audit.StopTransfer, Target: t.UUID, Transfer: t.UUID,
		Result: audit.Done, Detail: t.Stopped}
	if err := tx.Create(&line).Error; err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return noteEvent(tx, t, now, tasks.EventStopped, nil)
}

// unseenCounts reads what the steps of a transfer have counted since a person resumed it.
func unseenCounts(tx *gorm.DB, id int64) ([]tasks.StepProgress, error) {
	var rows []stepRow
	if err := findEach(tx.Where("transfer_id = ?", id).Order("no"), &rows, unreadableStep); err != nil {
		return nil, fmt.Errorf("read steps: %w", err)
	}
	steps := make([]tasks.StepProgress, len(rows))
	for i := range rows {
		s := rows[i].step()
		failures := max(s.Failures()-rows[i].SeenFailures, 0)
		others := max(s.Total()-rows[i].SeenResults-failures, 0)
		steps[i] = tasks.StepProgress{Name: s.Name, Counts: tasks.Counts{Failed: failures, Succeeded: others}}
	}
	return steps, nil
}

// seeFailures leaves the failures that have stopped a transfer out of its limit from now on:
// a person has seen them.
func seeFailures(tx *gorm.DB, id int64) error {
	err := tx.Exec(`UPDATE steps SET seen_failures = failed + error + timed_out,
			seen_results = succeeded + warning + skipped + failed + error + timed_out + canceled
		WHERE transfer_id = ? AND EXISTS (SELECT 1 FROM transfers WHERE id = ? AND stopped <> '')`, id, id).Error
	if err != nil {
		return fmt.Errorf("count failures anew: %w", err)
	}
	return nil
}

// forgetSeen lets failures that were taken back count again when the files fail again.
func forgetSeen(tx *gorm.DB, transfer int64, step int) error {
	for column, now := range map[string]string{
		"seen_failures": "failed + error + timed_out",
		"seen_results":  "succeeded + warning + skipped + failed + error + timed_out + canceled",
	} {
		err := tx.Exec("UPDATE steps SET "+column+" = "+now+" WHERE transfer_id = ? AND no = ? AND "+column+" > "+now, transfer, step).Error
		if err != nil {
			return fmt.Errorf("count failures anew: %w", err)
		}
	}
	return nil
}
