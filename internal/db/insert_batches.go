package db

import (
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"
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
// common use (16 MiB on MariaDB) even when every character is escaped. On servers
// that take less, BulkInsert divides its statements further.
const statementBytes = 4 << 20

// MaxRowBytes bounds one row on every database, so that it fits into that packet
// when it is escaped.
const MaxRowBytes = 7 << 20

// ErrRowTooLarge reports a row of more than MaxRowBytes, or of more than the server
// takes in one statement.
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
		if err := insertHalves(tx, rows[:n], size, insert); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// insertHalves calls insert, and again with halves of the rows when together they are
// more than the server takes in one statement. The transaction is unharmed then.
func insertHalves[R any](tx *gorm.DB, rows []R, size func(*R) int, insert func([]R) error) error {
	err := insert(rows)
	if err == nil || !isTooLarge(err) {
		return err
	}
	if len(rows) == 1 {
		return rowTooLarge(tx, size(&rows[0]), err)
	}
	half := len(rows) / 2
	if err := insertHalves(tx, rows[:half], size, insert); err != nil {
		return err
	}
	return insertHalves(tx, rows[half:], size, insert)
}

// isTooLarge reports whether a statement may be larger than the server takes. The
// driver finds out before it sends text; of a parameter that is sent alone, the
// server says so with the code of no special error.
func isTooLarge(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return errors.Is(err, mysql.ErrPktTooLarge) || ok && e.Number == mysqlUnknown
}

// rowTooLarge replaces the error of one row by one that says what the server takes,
// if that is the reason.
func rowTooLarge(tx *gorm.DB, size int, err error) error {
	var most int
	if failed := tx.Raw("SELECT @@max_allowed_packet").Scan(&most).Error; failed != nil {
		return errors.Join(err, fmt.Errorf("read max_allowed_packet: %w", failed))
	}
	if size <= most && !errors.Is(err, mysql.ErrPktTooLarge) {
		return err
	}
	return fmt.Errorf("%w: about %d bytes before escaping, and the database server takes a statement of %d; raise its max_allowed_packet",
		ErrRowTooLarge, size, most)
}
