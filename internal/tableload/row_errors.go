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

// Error numbers with which a server refuses a row.
const (
	mysqlNull        = 1048
	mysqlDuplicate   = 1062
	mysqlOutOfRange  = 1264
	mysqlTruncated   = 1265 // a value that is not in the list of an ENUM
	mysqlWrongTime   = 1292
	mysqlNoDefault   = 1364
	mysqlWrongValue  = 1366 // HY000 on MySQL
	mysqlTooLong     = 1406
	mysqlReference   = 1452
	mysqlNoPartition = 1526
	mysqlSignal      = 1644 // the error that a trigger raises
	mysqlOverflow    = 1690 // mostly the guard of a key
	mysqlBadJSON     = 3140
	mysqlCheckFailed = 3819
	mariaCheckFailed = 4025
	mariaJSONTooDeep = 4040
	mysqlJSONTooDeep = 3157
	mysqlRowTooLarge = 1118
	mariaRowTooLarge = 139
)

// refusedRow reports whether the error is caused by a row for a user's table.
func refusedRow(err error) bool {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch e.Number {
		case mysqlTruncated, mysqlWrongValue, mysqlNoDefault, mysqlNoPartition, mysqlSignal, mysqlOverflow, mysqlCheckFailed,
			mysqlJSONTooDeep, mariaJSONTooDeep, mysqlRowTooLarge, mariaRowTooLarge:
			return true
		}
	}
	return db.IsRejected(err) || noJSON(err)
}

// noJSON reports whether SQLite failed to read a value as JSON, for an index or a
// generated column. SQLite has no error code for that.
func noJSON(err error) bool {
	return errors.Is(err, sqlite3.ERROR) && strings.Contains(err.Error(), "malformed JSON")
}

const (
	refusal  = "the database refuses the row: "
	otherKey = refusal + "it conflicts with a row whose key has other bytes: the collation of the key treats both as equal, " +
		"or both have the same value in another unique key"
)

// databaseReason says why the database rejects a row, for people who read the rejected
// lines.
func (t *Table) databaseReason(err error) string {
	if errors.Is(err, db.ErrRowTooLarge) {
		return t.rowTooLarge()
	}
	if errors.Is(err, mysql.ErrPktTooLarge) {
		return "the row is larger than the database server accepts in one statement; raise its max_allowed_packet"
	}
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		if column := t.documentOf(e); column != "" {
			return "column " + column + ": the value is not JSON, or nests deeper than the database accepts, which is 32 levels on MariaDB"
		}
		return mysqlReason(e)
	}
	return sqliteReason(err)
}

// documentOf is the column whose check for JSON has failed: on MariaDB the name of the
// check is that of the table and the column.
func (t *Table) documentOf(e *mysql.MySQLError) string {
	m := mysqlConstraintName.FindStringSubmatch(e.Message)
	if e.Number != mariaCheckFailed || m == nil {
		return ""
	}
	for i := range t.columns {
		if c := &t.columns[i]; c.Kind == ColumnJSON && (m[1] == c.Name || m[1] == t.name+"."+c.Name) {
			return c.Name
		}
	}
	return ""
}

func mysqlReason(e *mysql.MySQLError) string {
	switch e.Number {
	case mysqlDuplicate:
		return refusal + "another row has the same unique key" + named(mysqlKeyName, e.Message)
	case mysqlOverflow:
		return otherKey
	case mysqlNull, mysqlNoDefault:
		return refusal + "a NOT NULL column has no value" + named(mysqlColumnName, e.Message)
	case mysqlOutOfRange:
		return refusal + "a number is out of the range of its column" + named(mysqlColumnName, e.Message)
	case mysqlTooLong:
		return refusal + "a value is longer than its column holds" + named(mysqlColumnName, e.Message)
	case mysqlTruncated, mysqlWrongTime, mysqlWrongValue:
		return refusal + "a value does not fit its column" + named(mysqlColumnName, e.Message)
	case mysqlReference:
		return refusal + "it refers to a row that does not exist" + named(mysqlConstraintName, e.Message)
	case mysqlCheckFailed, mariaCheckFailed:
		return refusal + "a check of the table does not allow it" + named(mysqlConstraintName, e.Message)
	case mysqlBadJSON:
		return refusal + "a value is not JSON" + named(mysqlColumnName, e.Message)
	case mysqlJSONTooDeep, mariaJSONTooDeep:
		return refusal + "objects and arrays nest deeper than its JSON columns allow"
	case mysqlNoPartition:
		return refusal + "the table has no partition for it"
	case mysqlSignal:
		return refusal + "a trigger of the table says: " + e.Message
	case mysqlRowTooLarge, mariaRowTooLarge:
		return refusal + "it is larger than a row of the table can be"
	}
	return refusal + fmt.Sprintf("error number %d", e.Number)
}

func sqliteReason(err error) string {
	var name string
	if m := sqliteName.FindStringSubmatch(err.Error()); m != nil {
		name = ": " + m[1]
	}
	switch {
	case errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY), errors.Is(err, sqlite3.CONSTRAINT_UNIQUE), errors.Is(err, sqlite3.CONSTRAINT_ROWID):
		return refusal + "another row has the same unique key" + name
	case errors.Is(err, sqlite3.TOOBIG): // the guard of the key: statements are smaller
		return otherKey
	case errors.Is(err, sqlite3.CONSTRAINT_NOTNULL):
		return refusal + "a NOT NULL column has no value" + name
	case errors.Is(err, sqlite3.CONSTRAINT_CHECK):
		return refusal + "a check of the table does not allow it" + name
	case errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY):
		return refusal + "it refers to a row that does not exist"
	case errors.Is(err, sqlite3.CONSTRAINT_TRIGGER):
		return refusal + "a trigger of the table does not allow it"
	case noJSON(err):
		return refusal + "a value is not JSON"
	case errors.Is(err, sqlite3.MISMATCH), errors.Is(err, sqlite3.CONSTRAINT_DATATYPE):
		return refusal + "a value does not fit its column"
	}
	return refusal + "a rule of the table does not allow it"
}

// Patterns that find names in the database's messages, which are used for texts for
// people only.
var (
	mysqlColumnName     = regexp.MustCompile("(?i)(?:column|field) (?:[`'][^`']*[`']\\.)*[`']([^`']+)[`']")
	mysqlKeyName        = regexp.MustCompile("for key [`'](?:[^`'.]*\\.)?([^`']+)[`']")
	mysqlConstraintName = regexp.MustCompile("(?i)constraint [`']([^`']+)[`']")
	sqliteName          = regexp.MustCompile(`failed: (.+)$`)
)

func named(pattern *regexp.Regexp, message string) string {
	if m := pattern.FindStringSubmatch(message); m != nil {
		return ": " + m[1]
	}
	return ""
}
