package tableload

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/ncruces/go-sqlite3"

	"github.com/balerhq/baler/internal/db"
)

// sentence is an error of the database with a text for people.
type sentence struct {
	words string
	err   error
}

// Error implements error.
func (s *sentence) Error() string { return s.words }

// Unwrap returns the database's own error.
func (s *sentence) Unwrap() error { return s.err }

// inWords gives an error of the database about a table, or about access to it, a text for
// people. It returns other errors unchanged, above all those after which a transaction is
// retried.
func inWords(err error) error {
	if err == nil || db.IsOutage(err) {
		return err
	}
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return sqliteInWords(err)
	}
	if words := tableWords(e); words != "" {
		return &sentence{words, fmt.Errorf("%w: %w", ErrTable, err)}
	}
	return &sentence{fmt.Sprintf("the database reports error number %d", e.Number), err}
}

// tableWords describes an error by MySQL's error number.
func tableWords(e *mysql.MySQLError) string {
	switch e.Number {
	case 1044, 1045, 1142, 1143, 1370:
		return "the database's user lacks a right; grant it SELECT, INSERT, UPDATE and CREATE on the table"
	case 1050:
		return "the table exists already"
	case 1054:
		return "a column of the table was dropped during the load" + named(mysqlColumnName, e.Message)
	case 1059:
		return "a name is too long"
	case 1060:
		return "the database treats two of the columns as one" + named(mysqlColumnName, e.Message) + "; give them other names with a mapping"
	case 1071:
		return "the key is longer than the database allows; leave columns out of it, or create the table with shorter ones"
	case 1074, 1118, mariaRowTooLarge:
		return "its rows would be larger than the database allows; choose fewer columns with a mapping, or create the table yourself"
	case 1103, 1166:
		return "the database does not accept one of the names" + named(mysqlColumnName, e.Message)
	case 1041:
		return "the database has no memory left"
	case 1005, 1117: // MariaDB reports the first
		return "it has more columns than the database allows; choose fewer with a mapping"
	case 1146:
		return "the table no longer exists"
	case 3098, 3750: // group replication; sql_require_primary_key
		return "the database server wants a primary key in each table; name the columns of one with --key, or create the table yourself"
	case 1170, 3152:
		return "a column of the key holds JSON, which the database does not allow; choose another key, or give it the type text"
	case 1288, 1347, 1348, 1356, 1394, 1471:
		return "it is a view, which cannot take rows; load into its table"
	}
	return ""
}

func sqliteInWords(err error) error {
	var code sqlite3.ErrorCode
	if !errors.As(err, &code) {
		return err
	}
	if words := sqliteWords(code, err.Error()); words != "" {
		return &sentence{words, fmt.Errorf("%w: %w", ErrTable, err)}
	}
	return &sentence{fmt.Sprintf("SQLite reports its error number %d", code), err}
}

// sqliteWords describes an error by SQLite's result code. Most mistakes in SQL have the
// same code, so sqliteWords distinguishes them by SQLite's text.
func sqliteWords(code sqlite3.ErrorCode, text string) string {
	switch code { //nolint:exhaustive // the others are told by their text
	case sqlite3.READONLY, sqlite3.PERM, sqlite3.AUTH:
		return "the database is read-only; allow this user to write its file and its folder"
	case sqlite3.FULL:
		return "the disk of the database is full"
	case sqlite3.CORRUPT, sqlite3.NOTADB:
		return "the file of the database is damaged; restore it from a backup"
	case sqlite3.NOMEM:
		return "there is no memory left"
	case sqlite3.SCHEMA:
		return "the table changed during the load; load it again"
	}
	switch m := sqliteMissing.FindStringSubmatch(text); {
	case m != nil:
		return "the table, or a trigger or an index of it, refers to a " + m[1] + " that does not exist: " + m[2]
	case strings.Contains(text, "too many columns"), strings.Contains(text, "too many SQL variables"):
		return "it has more columns than the database allows; choose fewer with a mapping"
	case strings.Contains(text, "duplicate column name"):
		return "the database treats two of the columns as one; give them other names with a mapping"
	case strings.Contains(text, "cannot modify") && strings.Contains(text, "view"):
		return "it is a view, which cannot take rows; load into its table"
	}
	return ""
}

// sqliteMissing matches SQLite's message about an object that does not exist.
var sqliteMissing = regexp.MustCompile(`no such (table|column|function|index|module|collation sequence): (\S+)`)
