package store

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// closingRow is a closing step of a transfer. It stays as long as its transfer:
// it is part of what the transfer says of itself, and runs again after a retry.
type closingRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	No         int   `gorm:"primaryKey;autoIncrement:false"`
	Name       string
	Handler    string
	State      tasks.ClosingState
	Event      string     // UUIDv7 of this run of the step, the same at every try of it
	Tries      int        // charged, in this run
	Delivery   int        // the fencing token: only whoever knows it may change the step
	DueAt      *time.Time // when somebody may take it; while it runs, when its lease ends; nil when it is not its turn
	Error      string
}

// TableName names the table to GORM.
func (closingRow) TableName() string { return "closing_steps" }

func (r *closingRow) step() tasks.ClosingStep {
	return tasks.ClosingStep{No: r.No, Name: r.Name, Handler: r.Handler, State: r.State, Tries: r.Tries, Error: r.Error}
}

// createClosingSteps writes the closing steps of a new transfer.
func createClosingSteps(tx *gorm.DB, transfer int64, steps []tasks.ClosingStep) error {
	if len(steps) == 0 {
		return nil
	}
	rows := make([]closingRow, len(steps))
	for i, s := range steps {
		steps[i].State = tasks.ClosingWaiting
		rows[i] = closingRow{TransferID: transfer, No: s.No, Name: s.Name, Handler: s.Handler, State: tasks.ClosingWaiting}
	}
	if err := tx.Create(rows).Error; err != nil {
		return fmt.Errorf("write closing steps: %w", err)
	}
	return nil
}

// stopClosing takes the closing steps of a transfer that goes elsewhere away
// from whoever has them. Those that have ended keep their word unless all begin
// anew, with ClosingWaiting.
func stopClosing(tx *gorm.DB, t transferRow, become tasks.ClosingState) error {
	if t.Closing == 0 {
		return nil
	}
	q := tx.Model(&closingRow{}).Where("transfer_id = ?", t.ID)
	set := map[string]any{"state": become, "due_at": nil, "delivery": gorm.Expr("delivery + 1")}
	if become == tasks.ClosingWaiting {
		set["tries"], set["error"] = 0, ""
	} else {
		q = q.Where("state IN ?", []tasks.ClosingState{tasks.ClosingWaiting, tasks.ClosingRunning})
	}
	if err := q.Updates(set).Error; err != nil {
		return fmt.Errorf("stop closing steps: %w", err)
	}
	return nil
}

// beginClosing makes all closing steps of a transfer new, and the first due.
func beginClosing(tx *gorm.DB, transfer int64, now time.Time) error {
	return renewClosing(tx, transfer, now, tx.Where("transfer_id = ?", transfer))
}

// renewClosing gives the chosen steps a run of their own, and makes the first due.
func renewClosing(tx *gorm.DB, transfer int64, now time.Time, chosen *gorm.DB) error {
	var rows []closingRow
	if err := chosen.Order("no").Find(&rows).Error; err != nil {
		return fmt.Errorf("read closing steps: %w", err)
	}
	for i := range rows {
		event, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("name a run of closing step %s: %w", rows[i].Name, err)
		}
		err = tx.Model(&closingRow{}).Where("transfer_id = ? AND no = ?", transfer, rows[i].No).Updates(map[string]any{
			"state": tasks.ClosingWaiting, "event": event.String(), "tries": 0, "error": "", "due_at": nil,
			"delivery": gorm.Expr("delivery + 1"),
		}).Error
		if err != nil {
			return fmt.Errorf("begin closing step %s: %w", rows[i].Name, err)
		}
	}
	_, err := nextClosing(tx, transfer, now)
	return err
}

// nextClosing makes the first step that waits due. It reports false when all
// have ended.
func nextClosing(tx *gorm.DB, transfer int64, now time.Time) (bool, error) {
	var rows []closingRow
	err := tx.Where("transfer_id = ? AND state = ?", transfer, tasks.ClosingWaiting).Order("no").Limit(1).Find(&rows).Error
	if err == nil && len(rows) > 0 {
		err = tx.Exec("UPDATE closing_steps SET due_at = ? WHERE transfer_id = ? AND no = ?", now, transfer, rows[0].No).Error
	}
	if err != nil {
		return false, fmt.Errorf("let the next closing step begin: %w", err)
	}
	return len(rows) > 0, nil
}
