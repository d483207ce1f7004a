package db

import (
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// How many rows go into one INSERT. MySQL gains from few round trips. SQLite has
// none; above some hundred rows the time to parse a statement grows faster than
// the number of its rows.
const (
	mysqlRows  = 1000
	sqliteRows = 100
)

// RowsPerInsert is how many rows one INSERT takes at most.
func RowsPerInsert(tx *gorm.DB) int {
	if tx.Name() == string(SQLite) {
		return sqliteRows
	}
	return mysqlRows
}

// statementBytes bounds one INSERT, below the smallest max_allowed_packet in
// common use (16 MiB on MariaDB) even when every character is escaped.
const statementBytes = 4 << 20

// MaxRowBytes bounds one row, so that it fits into that packet when it is
// escaped. MySQL does not reject a larger packet but closes the connection.
const MaxRowBytes = 7 << 20

// ErrRowTooLarge reports a row of more than MaxRowBytes.
var ErrRowTooLarge = errors.New("row is too large")

// InsertBySize inserts rows through GORM, in statements of at most RowsPerInsert
// rows and about statementBytes. size estimates the bytes of one row.
func InsertBySize[R any](tx *gorm.DB, rows []R, size func(*R) int) error {
	return eachInsert(tx, rows, size, func(part []R) error { return tx.CreateInBatches(part, len(part)).Error })
}

// eachInsert calls insert with the rows of one statement after the other.
func eachInsert[R any](tx *gorm.DB, rows []R, size func(*R) int, insert func([]R) error) error {
	most := RowsPerInsert(tx)
	for len(rows) > 0 {
		n, total := 0, 0
		for n < len(rows) && n < most && (n == 0 || total+size(&rows[n]) <= statementBytes) {
			total += size(&rows[n])
			n++
		}
		if n == 1 && total > MaxRowBytes {
			return fmt.Errorf("%w: %d bytes, the limit is %d", ErrRowTooLarge, total, MaxRowBytes)
		}
		if err := insert(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
