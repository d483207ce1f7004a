package db

import (
	"database/sql/driver"
	"errors"
	"net"

	gosqlite "github.com/glebarez/go-sqlite"
	"github.com/go-sql-driver/mysql"
)

// ErrRace is transient: another writer was faster, and a second run sees what
// it wrote.
var ErrRace = errors.New("another writer was faster")

// The codes are those of MySQL's server errors and SQLite's result codes.
const (
	mysqlLockWait       = 1205
	mysqlDeadlock       = 1213
	mysqlDuplicate      = 1062
	mysqlTooMany        = 1040
	mysqlShutdown       = 1053
	mysqlReadOnly       = 1290
	mysqlRecordChanged  = 1020 // MariaDB's snapshot isolation
	mysqlKilled         = 1927
	mysqlPacketTooLarge = 1153
	mysqlBadJSON        = 3140
	mysqlCheck          = 4025 // MariaDB's JSON columns have a check
	sqliteBusy          = 5
	sqliteLocked        = 6
	sqliteIO            = 10
	sqliteTooBig        = 18
	sqliteConstraint    = 19
	sqliteMismatch      = 20
	sqlitePrimary       = 1555
	sqliteUnique        = 2067
	sqlitePrimaryOfCode = 0xff // extended codes keep the primary one in the low byte
)

// IsTransient reports whether the same transaction may succeed when it runs again:
// after a conflict with another writer or a broken connection.
func IsTransient(err error) bool {
	if errors.Is(err, ErrRace) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) {
		return true
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch e.Number {
		case mysqlLockWait, mysqlDeadlock, mysqlTooMany, mysqlShutdown, mysqlReadOnly, mysqlRecordChanged, mysqlKilled:
			return true
		}
		return false
	}
	if e, ok := errors.AsType[*gosqlite.Error](err); ok {
		code := e.Code() & sqlitePrimaryOfCode
		return code == sqliteBusy || code == sqliteLocked
	}
	return false
}

// IsRejected reports whether the database rejects the data, and would reject it
// again: a value too long, out of range or malformed.
func IsRejected(err error) bool {
	if errors.Is(err, ErrRowTooLarge) {
		return true
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		class := string(e.SQLState[:2]) // 22: data exception, 23: constraint violation
		return class == "22" || class == "23" || e.Number == mysqlPacketTooLarge || e.Number == mysqlCheck || e.Number == mysqlBadJSON
	}
	if e, ok := errors.AsType[*gosqlite.Error](err); ok {
		switch e.Code() & sqlitePrimaryOfCode {
		case sqliteTooBig, sqliteConstraint, sqliteMismatch:
			return true
		}
	}
	return false
}

// IsOutage reports whether the database or the way to it failed rather than the
// statement, so that waiting may help. It includes transient errors.
func IsOutage(err error) bool {
	if IsTransient(err) {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if e, ok := errors.AsType[*gosqlite.Error](err); ok {
		return e.Code()&sqlitePrimaryOfCode == sqliteIO
	}
	return false
}

// IsDuplicate reports whether err is a violation of a unique key.
func IsDuplicate(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number == mysqlDuplicate
	}
	if e, ok := errors.AsType[*gosqlite.Error](err); ok {
		return e.Code() == sqlitePrimary || e.Code() == sqliteUnique
	}
	return false
}
