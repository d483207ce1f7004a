package store

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/balerhq/baler/tasks"
)

// finalizeRow is a final step of a transfer. It stays as long as its transfer:
// it is part of what the transfer says of itself, and runs again after a retry.
type finalizeRow struct {
	TransferID   int64 `gorm:"primaryKey;autoIncrement:false"`
	No           int   `gorm:"primaryKey;autoIncrement:false"`
	Name         string
	Handler      string
	State        tasks.FinalizeState
	Event        string     // UUIDv7 of this run of the step, the same at every attempt
	Attempts     int        // charged, in this run
	FencingToken int        // the fencing token: only whoever knows it may change the step
	DueAt        *time.Time // when a worker may claim it; while it runs, when its lease ends; nil when it is not its turn
	Error        string
	Digest       string  // of what the step does, so that runs find it again in other recipes
	Inputs       string  // of what else it depends on, when a run looked for it last
	Stale        bool    // its collection has changed since the last attempt began
	Progress     *string // JSON: how far the attempt is that runs
}

// TableName names the table to GORM.
func (finalizeRow) TableName() string { return "finalize_steps" }

func (r *finalizeRow) step() tasks.FinalizeStep {
	s := tasks.FinalizeStep{Number: r.No, Name: r.Name, Handler: r.Handler, State: r.State, Attempts: r.Attempts, Error: r.Error}
	if r.State == tasks.FinalizeRunning {
		s.Progress = progressOf(r.Progress)
	}
	return s
}

// createFinalizeSteps writes the final steps of a new transfer.
func createFinalizeSteps(tx *gorm.DB, transfer int64, steps []tasks.FinalizeStep) error {
	if len(steps) == 0 {
		return nil
	}
	rows := make([]finalizeRow, len(steps))
	for i, s := range steps {
		steps[i].State = tasks.FinalizeWaiting
		rows[i] = finalizeRow{
			TransferID: transfer, No: s.Number, Name: s.Name, Handler: s.Handler, Digest: s.Digest, Inputs: s.Inputs,
			State: tasks.FinalizeWaiting,
		}
	}
	if err := tx.Create(rows).Error; err != nil {
		return fmt.Errorf("write final steps: %w", err)
	}
	return nil
}

// stopFinalizing sets the final steps of a transfer to a state, and releases them from
// the workers that hold them. Those that have ended keep their state, unless become is
// FinalizeWaiting: then all run again.
func stopFinalizing(tx *gorm.DB, t transferRow, become tasks.FinalizeState) error {
	if t.Finalizing == 0 {
		return nil
	}
	q := tx.Model(&finalizeRow{}).Where("transfer_id = ?", t.ID)
	set := map[string]any{"state": become, "due_at": nil, "fencing_token": gorm.Expr("fencing_token + 1")}
	if become == tasks.FinalizeWaiting {
		set["attempts"], set["error"] = 0, ""
	} else {
		q = q.Where("state IN ?", []tasks.FinalizeState{tasks.FinalizeWaiting, tasks.FinalizeRunning})
	}
	if err := q.Updates(set).Error; err != nil {
		return fmt.Errorf("stop final steps: %w", err)
	}
	return nil
}

// beginFinalizing makes all final steps of a transfer new, and the first due.
func beginFinalizing(tx *gorm.DB, transfer int64, now time.Time) error {
	return renewFinalizing(tx, transfer, now, tx.Where("transfer_id = ?", transfer))
}

// renewFinalizing gives the chosen steps a run of their own, and makes the first due.
func renewFinalizing(tx *gorm.DB, transfer int64, now time.Time, chosen *gorm.DB) error {
	var rows []finalizeRow
	if err := chosen.Order("no").Find(&rows).Error; err != nil {
		return fmt.Errorf("read final steps: %w", err)
	}
	for i := range rows {
		event, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("name a run of final step %s: %w", rows[i].Name, err)
		}
		err = tx.Model(&finalizeRow{}).Where("transfer_id = ? AND no = ?", transfer, rows[i].No).Updates(map[string]any{
			"state": tasks.FinalizeWaiting, "event": event.String(), "attempts": 0, "error": "", "due_at": nil,
			"fencing_token": gorm.Expr("fencing_token + 1"),
		}).Error
		if err != nil {
			return fmt.Errorf("begin final step %s: %w", rows[i].Name, err)
		}
	}
	_, err := nextFinalizer(tx, transfer, now)
	return err
}

// nextFinalizer makes the first step that waits due. It reports false when all
// have ended.
func nextFinalizer(tx *gorm.DB, transfer int64, now time.Time) (bool, error) {
	var rows []finalizeRow
	err := tx.Where("transfer_id = ? AND state = ?", transfer, tasks.FinalizeWaiting).Order("no").Limit(1).Find(&rows).Error
	if err == nil && len(rows) > 0 {
		err = tx.Exec("UPDATE finalize_steps SET due_at = ? WHERE transfer_id = ? AND no = ?", now, transfer, rows[0].No).Error
	}
	if err != nil {
		return false, fmt.Errorf("let the next final step begin: %w", err)
	}
	return len(rows) > 0, nil
}
