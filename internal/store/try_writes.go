package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/balerhq/baler/tasks"
)

// errTried rolls back what TryWrites wrote.
var errTried = errors.New("only a trial")

// TryWrites inserts, changes and deletes a row in every table that Baler writes, as
// this account, and rolls all of it back. An error names the table.
func (s *Store) TryWrites(ctx context.Context) error {
	err := s.db.Session(ctx).Transaction(func(tx *gorm.DB) error {
		for _, r := range trialRows(s.db.Stamp()) {
			table := r.TableName()
			for _, write := range []func(any) *gorm.DB{tx.Create, tx.Save, func(r any) *gorm.DB { return deleteByKey(tx, r) }} {
				if err := write(r).Error; err != nil {
					return fmt.Errorf("try to write to table %s: %w", table, err)
				}
			}
		}
		for table, column := range withoutTrialRows() { // a statement without rows needs the same rights
			for _, statement := range []string{
				"INSERT INTO " + table + " SELECT * FROM " + table + " WHERE 1 = 0",
				"UPDATE " + table + " SET " + column + " = " + column + " WHERE 1 = 0",
				"DELETE FROM " + table + " WHERE 1 = 0",
			} {
				if err := tx.Exec(statement).Error; err != nil {
					return fmt.Errorf("try to write to table %s: %w", table, err)
				}
			}
		}
		return errTried
	})
	if errors.Is(err, errTried) {
		return nil
	}
	return err
}

// deleteByKey deletes a row with one condition for each column of its key. GORM's own, of all
// of them together as (a, b) IN ((1, 2)), makes MariaDB read and lock the whole table.
func deleteByKey(tx *gorm.DB, row any) *gorm.DB {
	parsed := &gorm.Statement{DB: tx}
	if err := parsed.Parse(row); err != nil {
		failed := tx.Session(new(gorm.Session))
		_ = failed.AddError(err) // it is in the answer
		return failed
	}
	of, q := reflect.ValueOf(row), tx
	for _, column := range parsed.Schema.PrimaryFields {
		value, _ := column.ValueOf(tx.Statement.Context, of)
		q = q.Where(clause.Eq{Column: clause.Column{Name: column.DBName}, Value: value})
	}
	return q.Delete(reflect.New(parsed.Schema.ModelType).Interface())
}

// withoutTrialRows are the tables that have no trial row, each with one of its columns.
func withoutTrialRows() map[string]string {
	return map[string]string{
		"loads": "step_no", "rejected_lines": "step_no", "users": "role", "api_tokens": "role", "sessions": "role", "audit_log": "detail",
		"schedules": "zone", "watches": "how", "watched_items": "print",
		"canceled_files": "file_no",
	}
}

// trialRows are rows that no other can collide with: no transfer has a negative number.
func trialRows(now time.Time) []schema.Tabler {
	const id, name = -1, "baler doctor"
	end := outcomeColumns{Outcome: tasks.OutcomeSkipped, StartedAt: now, EndedAt: now}
	return []schema.Tabler{
		&transferRow{ID: id, UUID: name, State: tasks.StateCanceled, Via: tasks.ViaBulk, CreatedAt: now, SeenAt: now, Sources: []byte{}},
		&stepRow{TransferID: id, No: 1},
		&fileRow{TransferID: id, No: 1, Path: []byte(name)},
		&emittedRow{TransferID: id, ParentNo: 1, StepNo: 1, NameHash: make([]byte, emittedHash), Name: []byte(name), Path: []byte(name)},
		&batchRow{ID: id, TransferID: id, DueAt: now, CreatedAt: now},
		&resultRecord{TransferID: id, StepNo: 1, FileNo: 1, End: end},
		&reusableRow{FileKey: make([]byte, 20), Fingerprint: make([]byte, 16), TransferID: id, RanAt: now},
		&failureRow{TransferID: id, StepNo: 1, FileNo: 1, Outcome: tasks.OutcomeFailed, EndedUs: now.UnixMicro()},
		&attemptRow{ID: id, TransferID: id, End: end},
		&batchHistoryRow{TransferID: id, BatchID: 1},
		&activityRow{TransferID: id, Slot: 1},
		&workTimeRow{TransferID: id, StepNo: 1, Worker: name, StartedUs: 1},
		&seenFileRow{RunKey: name, PathHash: make([]byte, pathHash), TransferID: id},
		&DeadLetter{ID: id, ReceivedAt: now, Payload: []byte{}},
		&workerRow{Name: name, StartedAt: now, SeenAt: now},
		&costRow{Handler: name, Arguments: "0", Worker: name, At: now},
		&limitRow{Scope: "doctor", Name: name},
		&leaseRow{Name: name, Holder: name, Until: now},
		&pausedQueue{Name: name, PausedAt: now},
		&WebhookDelivery{ID: id, TransferID: id, CreatedAt: now},
		&finalizeRow{TransferID: id, No: 1, State: tasks.FinalizeCanceled},
		&outputRow{PathHash: make([]byte, 16), Owner: name, Digest: name, Path: []byte{}},
		&pausedQueue{Name: name, PausedAt: now},
		&importRow{TransferID: id, UUID: name, StartedAt: now},
		&tombstone{TransferID: id, UUID: name, DeletedAt: now},
	}
}
