package store

import (
	"errors"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// findEach finds rows. When one of them is invalid, as after a bad restore, it reads each
// by its key, which must tell the rows of the query apart, so that one bad row does not hide
// the others: standIn makes the row that is shown in its place.
func findEach[T any](q *gorm.DB, rows *[]T, key string, standIn func(key int64, err error) T) error {
	q = q.Session(&gorm.Session{}) // so that it can be used several times
	err := q.Find(rows).Error
	if !errors.Is(err, db.ErrMisread) {
		return err
	}
	var keys []int64
	if err := q.Model(new(T)).Select(key).Scan(&keys).Error; err != nil {
		return err
	}
	*rows = nil
	for _, k := range keys {
		var one []T
		err := q.Where(key+" = ?", k).Find(&one).Error
		if errors.Is(err, db.ErrMisread) {
			one, err = []T{standIn(k, err)}, nil
		}
		if err != nil {
			return err
		}
		*rows = append(*rows, one...)
	}
	return nil
}

// unreadableTransfer replaces a transfer whose row is invalid. Its ID and name are read as
// text, because any value can be read as text.
func unreadableTransfer(q *gorm.DB) func(id int64, err error) transferRow {
	return func(id int64, err error) transferRow {
		row := transferRow{ID: id, Trouble: "its row in the database cannot be read: " + err.Error()}
		var known struct{ UUID, Name, State string }
		read := q.Raw(`SELECT CAST(uuid AS CHAR) AS uuid, CAST(name AS CHAR) AS name, CAST(state AS CHAR) AS state
			FROM transfers WHERE id = ?`, id)
		if read.Scan(&known).Error == nil {
			row.UUID, row.Name, row.State = known.UUID, known.Name, tasks.State(known.State)
		}
		return row
	}
}

// unreadableStep marks a step whose counters are invalid, so their values are not known.
func unreadableStep(transfer int64) func(no int64, err error) stepRow {
	return func(no int64, err error) stepRow {
		return stepRow{TransferID: transfer, No: int(no), Name: "unreadable", misread: err}
	}
}

// unreadableResult stands in for a result whose row is invalid.
func unreadableResult(transfer int64, step int) func(file int64, err error) resultRecord {
	return func(file int64, err error) resultRecord {
		return resultRecord{TransferID: transfer, StepNo: step, FileNo: file, End: outcomeColumns{
			Outcome: tasks.OutcomeError, Code: tasks.CodeUnreadableRow, Error: "the row of this result cannot be read: " + err.Error(),
		}}
	}
}
