package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
)

// activityRow counts what a transfer recorded in one slot of time. Charts of a transfer
// read these few rows in place of its results. What a retry takes back stays counted:
// the work was done.
type activityRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	Slot       int64 `gorm:"primaryKey;autoIncrement:false"` // ledger.SlotLength since 1970
	Results    int64
	Failed     int64
	Finished   int64 // files that passed their last step
	Bytes      int64 // of the batches that ended
}

// TableName names the table to GORM.
func (activityRow) TableName() string { return "activity" }

func countFailures(rows []resultRecord) (n int64) {
	for i := range rows {
		if rows[i].End.Outcome.IsFailure() {
			n++
		}
	}
	return n
}

func (t *counterChanges) active(transfer int64) *activityRow {
	if t.activity == nil {
		t.activity = make(map[int64]*activityRow)
	}
	if t.activity[transfer] == nil {
		t.activity[transfer] = &activityRow{TransferID: transfer}
	}
	return t.activity[transfer]
}

// writeActivity adds to one row a transfer, in ascending order.
func (t *counterChanges) writeActivity(tx *gorm.DB, now time.Time) error {
	slot := ledger.SlotOf(now)
	update := "ON DUPLICATE KEY UPDATE results = results + VALUES(results), failed = failed + VALUES(failed), " +
		"finished = finished + VALUES(finished), bytes = bytes + VALUES(bytes)"
	if tx.Name() == string(db.SQLite) {
		update = "ON CONFLICT (transfer_id, slot) DO UPDATE SET results = results + excluded.results, failed = failed + excluded.failed, " +
			"finished = finished + excluded.finished, bytes = bytes + excluded.bytes"
	}
	for _, id := range sortedKeys(t.activity) {
		a := t.activity[id]
		err := tx.Exec("INSERT INTO activity (transfer_id, slot, results, failed, finished, bytes) VALUES (?, ?, ?, ?, ?, ?) "+update,
			id, slot, a.Results, a.Failed, a.Finished, a.Bytes).Error
		if err != nil {
			return fmt.Errorf("count activity: %w", err)
		}
	}
	return nil
}

// Activity reads what each of some transfers recorded since a time, ascending; slots
// without any are left out.
func (s *Store) Activity(ctx context.Context, transfers []int64, since time.Time) (map[int64][]ledger.Activity, error) {
	of := make(map[int64][]ledger.Activity, len(transfers))
	if len(transfers) == 0 {
		return of, nil
	}
	var rows []activityRow
	err := s.db.Session(ctx).Where("transfer_id IN ? AND slot >= ?", transfers, ledger.SlotOf(since)).
		Order("transfer_id, slot").Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		of[r.TransferID] = append(of[r.TransferID], ledger.Activity{
			Slot: r.Slot, Results: r.Results, Failed: r.Failed, Finished: r.Finished, Bytes: r.Bytes,
		})
	}
	return of, nil
}

// LastActivity reads up to limit of a transfer's newest slots, ascending.
func (s *Store) LastActivity(ctx context.Context, transfer int64, limit int) ([]ledger.Activity, error) {
	var rows []activityRow
	err := s.db.Session(ctx).Where("transfer_id = ?", transfer).Order("slot DESC").Limit(limit).Find(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	all := make([]ledger.Activity, len(rows))
	for i := range rows {
		r := &rows[i]
		all[len(rows)-1-i] = ledger.Activity{Slot: r.Slot, Results: r.Results, Failed: r.Failed, Finished: r.Finished, Bytes: r.Bytes}
	}
	return all, nil
}
