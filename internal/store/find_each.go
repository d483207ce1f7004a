package store

import (
	"errors"
	"fmt"
	"strconv"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// findEach finds rows. When one of them is invalid, as after a bad restore, it reads them
// one by one, so that the bad row does not hide the others: standIn makes the row that comes
// in its place.
func findEach[T any](q *gorm.DB, rows *[]T, standIn func(raw rawRow, err error) T) error {
	q = q.Session(&gorm.Session{}) // so that it can be used twice
	err := q.Find(rows).Error
	if !errors.Is(err, db.ErrMisread) {
		return err
	}
	return readEach(q.Model(new(T)), rows, standIn)
}

// scanEach is findEach of a query that is SQL text.
func scanEach[T any](q *gorm.DB, rows *[]T, standIn func(raw rawRow, err error) T) error {
	q = q.Session(&gorm.Session{})
	err := q.Scan(rows).Error
	if !errors.Is(err, db.ErrMisread) {
		return err
	}
	return readEach(q, rows, standIn)
}

func readEach[T any](q *gorm.DB, rows *[]T, standIn func(raw rawRow, err error) T) error {
	*rows = nil
	found, err := q.Rows()
	if err != nil {
		return err
	}
	defer found.Close() // reading to the end has closed them; Err says what went wrong
	columns, err := found.Columns()
	if err != nil {
		return err
	}
	scanner := q.Session(&gorm.Session{NewDB: true}) // q would keep the error of a row for those after it
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for found.Next() {
		var one T
		err := scanner.ScanRows(found, &one)
		if errors.Is(err, db.ErrMisread) {
			raw := make(rawRow, len(columns))
			if err := found.Scan(into...); err != nil {
				return err
			}
			for i, name := range columns {
				raw[name] = values[i]
			}
			one, err = standIn(raw, err), nil
		}
		if err != nil {
			return err
		}
		*rows = append(*rows, one)
	}
	return db.Interrupted(q.Statement.Context, found.Err())
}

// rawRow is a row as the database gives it, by column: any value can be read as text.
type rawRow map[string]any

func (r rawRow) text(column string) string {
	switch v := r[column].(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	default:
		return fmt.Sprint(v)
	}
}

// number is 0 of what is not an integer.
func (r rawRow) number(column string) int64 {
	n, err := strconv.ParseInt(r.text(column), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// unreadableTransfer stands in for a transfer whose row is invalid.
func unreadableTransfer(raw rawRow, err error) transferRow {
	return transferRow{
		ID: raw.number("id"), UUID: raw.text("uuid"), Name: raw.text("name"), State: tasks.State(raw.text("state")),
		Trouble: "its row in the database cannot be read: " + err.Error(),
	}
}

// unreadableStep marks a step whose counters are invalid, so their values are not known.
func unreadableStep(raw rawRow, err error) stepRow {
	return stepRow{TransferID: raw.number("transfer_id"), No: int(raw.number("no")), Name: "unreadable", misread: err}
}

// unreadableResult stands in for a result whose row is invalid.
func unreadableResult(raw rawRow, err error) resultRecord {
	return resultRecord{
		TransferID: raw.number("transfer_id"), StepNo: int(raw.number("step_no")), FileNo: raw.number("file_no"), End: outcomeColumns{
			Outcome: tasks.OutcomeError, Code: tasks.CodeUnreadableRow, Error: "the row of this result cannot be read: " + err.Error(),
		},
	}
}

// unreadableBatch stands in for a batch whose row is invalid: see suspendFor.
func unreadableBatch(raw rawRow, err error) batchRow {
	return batchRow{
		ID: raw.number("id"), TransferID: raw.number("transfer_id"), StepNo: int(raw.number("step_no")),
		Attempt: int(raw.number("attempt")), Queue: raw.text("queue"), Files: raw.text("files"), misread: err,
	}
}

// unreadableFile stands in for a file whose row is invalid, in lists that people read.
func unreadableFile(raw rawRow, err error) fileRow {
	return fileRow{
		TransferID: raw.number("transfer_id"), No: raw.number("no"), Path: []byte(raw.text("path")),
		ScanError: "its row in the database cannot be read: " + err.Error(),
	}
}

// unreadableWorker stands in for a worker whose row is invalid. It takes no batches, but
// what it uses of limits still counts.
func unreadableWorker(raw rawRow, err error) workerRow {
	return workerRow{
		Name: raw.text("name"), DesiredState: tasks.WorkerPaused,
		LimitsInUse: raw.text("limits_in_use"), RatesInUse: raw.text("rates_in_use"), misread: err,
	}
}

// unreadableLimit stands in for a limit whose row is invalid: as little as possible runs,
// so that it is not exceeded.
func unreadableLimit(raw rawRow, err error) limitRow {
	return limitRow{Scope: tasks.Scope(raw.text("scope")), Name: raw.text("name"), InFlight: 1, misread: err}
}
