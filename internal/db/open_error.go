package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/ncruces/go-sqlite3"
)

// openError says why a database cannot be used, and what to do.
func (d *DB) openError(err error) error {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return fmt.Errorf("database %s refuses the connection: %w%s", d.description, err, refusalHint(e.Number))
	}
	if d.dialect == MySQL && (IsOutage(err) || errors.Is(err, context.DeadlineExceeded)) {
		return fmt.Errorf("database %s does not answer: %w (set BALER_DATABASE_URL, or start the database)", d.description, err)
	}
	hint := ""
	switch {
	case d.dialect == MySQL:
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		hint = " (set BALER_STATE_DIR or BALER_DATABASE_URL to a place that this user may write)"
	case sqliteCode(err) == sqlite3.NOTADB:
		hint = " (name another file in BALER_DATABASE_URL)"
	}
	return fmt.Errorf("open database %s: %w%s", d.description, err, hint)
}

// refusalHint is what to do about an error with which a server refuses a connection.
func refusalHint(number uint16) string {
	switch number {
	case mysqlAccessDenied, mysqlAccessDeniedNoPassword:
		return " (set the user and the password in BALER_DATABASE_URL)"
	case mysqlNoDatabase:
		return " (create it with CHARACTER SET utf8mb4, or set another name in BALER_DATABASE_URL)"
	case mysqlDatabaseDenied:
		return " (grant the user the rights on this database; deploy/grants.sql has the least)"
	case mysqlTooMany:
		return " (raise the server's max_connections, or lower database.max_connections of the processes that use it)"
	case mysqlAborted:
		return " (if it is init_connect that fails for this account, correct it; the server's log has its error)"
	}
	return ""
}
