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

// sentence is an error of the database in words for people.
type sentence struct {
	words string
	err   error
}

// Error implements error.
func (s *sentence) Error() string { return s.words }

// Unwrap gives the error as the database reports it.
func (s *sentence) Unwrap() error { return s.err }

// inWords puts an error of the database about a table, or about the way to it, into words.
// Other errors stay as they are, above all those after which a transaction is retried.
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
	return &sentence{fmt.Sprintf("the database reports its error number %d", e.Number), err}
}

// tableWords describes an error by MySQL's error number.
func tableWords(e *mysql.MySQLError) string {
	switch e.Number {
	case 1044, 1045, 1142, 1143, 1370:
		return "the database's user may not do that; grant it SELECT, INSERT, UPDATE and CREATE on the table"
	case 1050:
		return "there is such a table already"
	case 1054:
		return "the table has lost a column while it was loaded" + named(mysqlColumnName, e.Message)
	case 1059:
		return "a name is too long"
	case 1060:
		return "the database takes two of the columns for one" + named(mysqlColumnName, e.Message) + "; give them other names with a mapping"
	case 1071:
		return "the key is longer than the database takes; leave columns out of it, or create the table with shorter ones"
	case 1074, 1118, mariaRowTooLarge:
		return "its rows would be larger than the database takes; say with a mapping which members are columns, or create the table yourself"
	case 1103, 1166:
		return "the database does not take one of the names" + named(mysqlColumnName, e.Message)
	case 1114, 1021, 1041:
		return "the database has no room left"
	case 1005, 1117: // MariaDB reports the first
		return "it has more columns than the database takes; say with a mapping which members are columns"
	case 1146:
		return "the table is gone"
	case 1170, 3152:
		return "a column of the key holds JSON, which the database takes for no key; choose another key, or give it the type text"
	case 1288, 1347, 1348, 1356, 1394, 1471:
		return "it is a view that takes no rows; load into the table below it"
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

// sqliteWords says what is wrong by SQLite's result codes. Its code for most mistakes in
// SQL is one and the same: only their texts tell them apart.
func sqliteWords(code sqlite3.ErrorCode, text string) string {
	switch code {
	case sqlite3.READONLY, sqlite3.PERM, sqlite3.AUTH:
		return "the database may only be read; let this user write its file and its folder"
	case sqlite3.FULL:
		return "the disk of the database has no room left"
	case sqlite3.CORRUPT, sqlite3.NOTADB:
		return "the file of the database is damaged; restore it from a backup"
	case sqlite3.NOMEM:
		return "there is no memory left"
	case sqlite3.SCHEMA:
		return "the table has changed while it was loaded; load it again"
	}
	switch m := sqliteMissing.FindStringSubmatch(text); {
	case m != nil:
		return "the table, or a trigger or an index of it, refers to a " + m[1] + " that is not there: " + m[2]
	case strings.Contains(text, "too many columns"), strings.Contains(text, "too many SQL variables"):
		return "it has more columns than the database takes; say with a mapping which members are columns"
	case strings.Contains(text, "duplicate column name"):
		return "the database takes two of the columns for one; give them other names with a mapping"
	case strings.Contains(text, "cannot modify") && strings.Contains(text, "view"):
		return "it is a view that takes no rows; load into the table below it"
	}
	return ""
}

// sqliteMissing finds what SQLite does not find.
var sqliteMissing = regexp.MustCompile(`no such (table|column|function|index|module|collation sequence): (\S+)`)
