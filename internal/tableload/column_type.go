package tableload

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/internal/db"
)

// ColumnType is the type of a column of a user's table, as far as loading depends on it.
type ColumnType string

// The column types.
const (
	ColumnText    ColumnType = "text"
	ColumnInt     ColumnType = "int"
	ColumnFloat   ColumnType = "float"
	ColumnDecimal ColumnType = "decimal"
	ColumnBool    ColumnType = "bool"
	ColumnTime    ColumnType = "time"
	ColumnJSON    ColumnType = "json"
	ColumnDate    ColumnType = "date" // in existing tables only; new columns do not get it
)

// ColumnTypes lists the types that a mapping can have.
func ColumnTypes() []ColumnType {
	return []ColumnType{ColumnText, ColumnInt, ColumnFloat, ColumnDecimal, ColumnBool, ColumnTime, ColumnJSON}
}

// Column is a column of a user's table.
type Column struct {
	Name      string
	Kind      ColumnType
	Required  bool // NOT NULL, without a default
	Key       bool // part of the key: every row needs a value of its own
	Unsigned  bool // an Int without negative numbers, but with larger ones
	Chars     int  // the longest text in characters; 0: no such limit
	Bytes     int  // the longest text in bytes; 0: no such limit
	Decimals  int  // digits behind the point of a number or of a second; -1: no limit
	Bits      int  // of a Float: 32 or 64
	Digits    int  // significant digits that a Decimal keeps; 0: only the database's own limit
	Generated bool // computed by the database

	missing  string // SQL for a missing value
	declared string // MySQL's type, if Check needs it
	full     string
}

// Errors about a user's table that callers decide on.
var (
	ErrNoTable = errors.New("no such table")
	ErrTable   = errors.New("the table does not fit")
)

// maxName is the longest name that MySQL allows, in characters.
const maxName = 64

// maxNameRune is the last character that MySQL and MariaDB allow in names.
const maxNameRune = '\uffff'

// CheckName returns an error when a name cannot be that of a table or a column.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fmt.Errorf("%w: %q is not a name: it is empty", ErrTable, name)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%w: %q is not a name: it begins or ends with white space", ErrTable, name)
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return fmt.Errorf("%w: %q is not a name: it is not valid text", ErrTable, name)
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("%w: the name %q is longer than %d characters", ErrTable, name, maxName)
	}
	return nil
}

// checkCharacters returns an error when a name has characters that this database does not
// allow in names.
func (s *Store) checkCharacters(name string) error {
	if s.db.Dialect() == db.SQLite {
		return nil
	}
	for _, r := range name {
		if r > maxNameRune {
			return fmt.Errorf("%w: the name %q has the character %q, which MySQL and MariaDB allow in values but not in names", ErrTable, name, r)
		}
	}
	return nil
}

// CheckTableName is CheckName for tables. It also refuses the names of Baler's tables.
func CheckTableName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if len(name) >= len("sqlite_") && strings.EqualFold(name[:len("sqlite_")], "sqlite_") {
		return fmt.Errorf("%w: the name %q is reserved by SQLite; choose another name", ErrTable, name)
	}
	for _, own := range db.OwnTables() {
		if strings.EqualFold(name, own) {
			return fmt.Errorf("%w: %s is a table of Baler; choose another name", ErrTable, own)
		}
	}
	return nil
}
