package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
	"github.com/ncruces/go-sqlite3"

	"github.com/balerhq/baler/internal/tlshint"
)

// openError says why a database cannot be used, and what to do.
func (d *DB) openError(err error) error {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return fmt.Errorf("database %s refuses the connection: %w%s", d.description, err, refusalHint(e.Number))
	}
	if hint := tlshint.Of(err, tlsSettings()); hint != "" {
		return fmt.Errorf("open database %s: %w (%s)", d.description, err, hint)
	}
	closed := errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn)
	if d.dialect == MySQL && closed && d.showsCertificate {
		// The server reads the client's certificate after the handshake has ended here, and only closes the connection then.
		return fmt.Errorf("database %s does not answer: %w (set BALER_DATABASE_URL, or start the database; "+
			"if the server's log says that it refuses the certificate in BALER_DATABASE_TLS_CERT, name one that its authority has signed "+
			"and that has not expired)", d.description, err)
	}
	if d.dialect == MySQL && (IsOutage(err) || errors.Is(err, context.DeadlineExceeded)) {
		return fmt.Errorf("database %s does not answer: %w (set BALER_DATABASE_URL, or start the database)", d.description, err)
	}
	hint := ""
	switch {
	case errors.Is(err, mysql.ErrNoTLS):
		hint = " (turn TLS on at the server, or unset BALER_DATABASE_TLS_CA, _CERT and _KEY, and remove tls from BALER_DATABASE_URL)"
	case d.dialect == MySQL:
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR):
		hint = " (set BALER_STATE_DIR or BALER_DATABASE_URL to a place that this user may write)"
	case sqliteCode(err) == sqlite3.NOTADB:
		// The driver's text names the first statement that fails, whichever it is.
		return fmt.Errorf("open database %s: %w (name another file in BALER_DATABASE_URL)", d.description, notSQLiteError{err})
	}
	return fmt.Errorf("open database %s: %w%s", d.description, plain(err), hint)
}

// tlsSettings are the names of the settings of an encrypted connection.
func tlsSettings() tlshint.Settings {
	return tlshint.Settings{
		Address: "BALER_DATABASE_URL", CA: "BALER_DATABASE_TLS_CA", Cert: "BALER_DATABASE_TLS_CERT", Key: "BALER_DATABASE_TLS_KEY",
	}
}

// plainError has the words for a person in place of those of SQLite and its driver, which
// name the setting that happened to be the first to read the file.
type plainError struct {
	text string
	err  error
}

func (e plainError) Error() string { return e.text }
func (e plainError) Unwrap() error { return e.err }

func plain(err error) error {
	code := sqliteCode(err)
	if code == 0 || errors.Is(err, errDisk) {
		return err
	}
	text := strings.NewReplacer("sqlite3: ", "", "invalid _pragma: ", "").Replace(err.Error())
	switch code {
	case sqlite3.NOTADB:
		text = "the file is not a SQLite database"
	case sqlite3.CORRUPT:
		text = "the file is damaged: restore it from a copy"
	case sqlite3.BUSY, sqlite3.LOCKED:
		text = "another program keeps the file locked"
	case sqlite3.CANTOPEN, sqlite3.PERM, sqlite3.READONLY, sqlite3.AUTH:
		text = "this user may not open it, or it is no regular file"
	default: // its text says what is wrong
	}
	return plainError{text, err}
}

// refusalHint is what to do about an error with which a server refuses a connection.
func refusalHint(number uint16) string {
	switch number {
	case mysqlAccessDenied, mysqlAccessDeniedNoPassword:
		return " (set the user and the password in BALER_DATABASE_URL; an account that requires a certificate also needs " +
			"BALER_DATABASE_TLS_CERT and BALER_DATABASE_TLS_KEY)"
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

// notSQLiteError is the error of opening a file that is no database.
type notSQLiteError struct{ error }

func (notSQLiteError) Error() string   { return "the file is not a SQLite database" }
func (e notSQLiteError) Unwrap() error { return e.error }
