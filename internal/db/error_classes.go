package db

import (
	"database/sql/driver"
	"errors"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/ncruces/go-sqlite3"
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
	mysqlAborted        = 1184 // as by an init_connect that fails
	mysqlBinlog         = 1665
	mysqlAccessDenied   = 1045
	mysqlDatabaseDenied = 1044
	mysqlTableDenied    = 1142
	mysqlColumnDenied   = 1143

	mysqlReadOnlyTransaction    = 1792
	mysqlReadOnlyMode           = 1836
	mysqlAccessDeniedNoPassword = 1698

	mysqlFileWrite     = 3
	mysqlFileFull      = 20
	mysqlDiskFull      = 1021
	mysqlErrorOnWrite  = 1026
	mysqlEngine        = 1030 // an error of a storage engine
	mysqlTableFull     = 1114
	mysqlTempFileWrite = 1878

	mysqlRecordChanged  = 1020 // MariaDB's snapshot isolation
	mysqlKilled         = 1927
	mysqlPacketTooLarge = 1153
	mysqlUnknown        = 1105 // any error without a code of its own
	mysqlBadJSON        = 3140
	mysqlNotText        = 1300
	mysqlNoDatabase     = 1049
	mariaCheck          = 4025 // MariaDB's JSON columns have a check
	mysqlCheck          = 3819

	mysqlIdle          = 4031 // MySQL's last words on a connection that was idle for wait_timeout
	mysqlKilledSession = 3169
	mysqlCertification = 3101 // a conflict that group replication finds at the commit
	mysqlErrorAtCommit = 1180 // an error of a storage engine at the commit
	mysqlObserver      = 3100 // group replication cannot commit: the member leaves, or has lost the majority
)

// IsTransient reports whether the same transaction may succeed when it runs again:
// after a conflict with another writer or a broken connection.
func IsTransient(err error) bool {
	if errors.Is(err, ErrRace) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) {
		return true
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch e.Number {
		case mysqlLockWait, mysqlDeadlock, mysqlTooMany, mysqlShutdown, mysqlRecordChanged, mysqlKilled,
			mysqlIdle, mysqlKilledSession, mysqlCertification, mysqlObserver,
			mysqlReadOnly, mysqlReadOnlyTransaction, mysqlReadOnlyMode:
			return true
		}
		return deadlockAtCommit(e)
	}
	code := sqliteCode(err)
	return code == sqlite3.BUSY || code == sqlite3.LOCKED
}

// deadlockAtCommit reports whether the commit fails for a transaction of another server: group
// replication, when each server takes writes, tells it so.
func deadlockAtCommit(e *mysql.MySQLError) bool {
	return e.Number == mysqlErrorAtCommit && strings.HasPrefix(e.Message, "Got error 149 ") // HA_ERR_LOCK_DEADLOCK
}

// IsRejected reports whether the database rejects the data, and would reject it
// again: a value too long, out of range or malformed.
func IsRejected(err error) bool {
	if errors.Is(err, ErrRowTooLarge) || errors.Is(err, mysql.ErrPktTooLarge) {
		return true
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		class := string(e.SQLState[:2]) // 22: data exception, 23: constraint violation
		if class == "22" || class == "23" {
			return true
		}
		switch e.Number {
		case mysqlPacketTooLarge, mysqlNotText, mysqlCheck, mariaCheck, mysqlBadJSON:
			return true
		}
		return false
	}
	code := sqliteCode(err)
	return code == sqlite3.TOOBIG || code == sqlite3.CONSTRAINT || code == sqlite3.MISMATCH
}

// IsRefused reports whether the database refuses a statement, and works: a column is missing, a
// right is missing, or a constraint or trigger does not take the rows. Waiting does not help.
func IsRefused(err error) bool {
	if IsOutage(err) {
		return false
	}
	_, isMySQL := errors.AsType[*mysql.MySQLError](err)
	return isMySQL || sqliteCode(err) != 0
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
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return lacksSpace(e)
	}
	code := sqliteCode(err)
	return code == sqlite3.IOERR || code == sqlite3.FULL // there may be room later
}

// lacksSpace reports whether the server has no space for its tables or temporary files.
func lacksSpace(e *mysql.MySQLError) bool {
	switch e.Number {
	case mysqlFileWrite, mysqlFileFull, mysqlDiskFull, mysqlErrorOnWrite, mysqlTableFull, mysqlTempFileWrite:
		return true
	case mysqlEngine:
		return strings.HasPrefix(e.Message, "Got error 28 ") // ENOSPC: the engines' errors have one number in common
	}
	return false
}

// IsDuplicate reports whether err is a violation of a unique key.
func IsDuplicate(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return e.Number == mysqlDuplicate
	}
	return errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY) || errors.Is(err, sqlite3.CONSTRAINT_UNIQUE)
}

// sqliteCode is the primary result code of an error of SQLite; 0 for other errors.
func sqliteCode(err error) (code sqlite3.ErrorCode) {
	_ = errors.As(err, &code) // the driver gives errors of three types; each can be read as this one
	return code
}

// IsDenied reports whether the database refuses the account or one of its statements.
func IsDenied(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return false
	}
	switch e.Number {
	case 1044, 1045, 1142, 1143, 1227, 1370, 1698: // denied: database, account, table, column, privilege, routine, socket
		return true
	}
	return false
}

// isAnswer reports whether the error is the database's own, so that it did answer.
func isAnswer(err error) bool {
	_, ok := errors.AsType[*mysql.MySQLError](err)
	return ok
}
