package tableload

import (
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"github.com/balerhq/baler/internal/db"
)

// Errors by which a server refuses a row, beside those of Refused.
const (
	mysqlTruncated   = 1265 // a value that is none of an ENUM
	mysqlWrongValue  = 1366 // HY000 on MySQL
	mysqlNoDefault   = 1364
	mysqlNoPartition = 1526
	mysqlSignal      = 1644 // a trigger's own
	mysqlCheckFailed = 3819
)

// refusedRow reports whether a row of a user's table is at fault.
func refusedRow(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch e.Number {
		case mysqlTruncated, mysqlWrongValue, mysqlNoDefault, mysqlNoPartition, mysqlSignal, mysqlCheckFailed:
			return true
		}
	}
	return db.IsRejected(err)
}

// databaseReason is what the database said of a row.
func databaseReason(err error) string {
	if errors.Is(err, db.ErrRowTooLarge) {
		return fmt.Sprintf("the row is larger than %d MiB, which is more than every database takes", db.MaxRowBytes>>20)
	}
	if errors.Is(err, mysql.ErrPktTooLarge) {
		return "the row is larger than the database server takes in one statement; raise its max_allowed_packet"
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return "the database refuses the row: " + e.Message
	}
	return "the database refuses the row: " + err.Error()
}
