package tableload

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/internal/db"
)

// ColumnType is what a column of a user's table holds, as far as loading cares.
type ColumnType string

// The kinds.
const (
	ColumnText    ColumnType = "text"
	ColumnInt     ColumnType = "int"
	ColumnFloat   ColumnType = "float"
	ColumnDecimal ColumnType = "decimal"
	ColumnBool    ColumnType = "bool"
	ColumnTime    ColumnType = "time"
	ColumnJSON    ColumnType = "json"
	ColumnDate    ColumnType = "date" // of a table that is there; no new column has it
)

// ColumnTypes lists every kind that a mapping can have.
func ColumnTypes() []ColumnType {
	return []ColumnType{ColumnText, ColumnInt, ColumnFloat, ColumnDecimal, ColumnBool, ColumnTime, ColumnJSON}
}

// Column is a column of a user's table.
type Column struct {
	Name      string
	Kind      ColumnType
	Required  bool // takes no NULL, and has nothing in place of a missing value
	Key       bool // tells duplicates: a row without a value of its own would get one that another row has, or none
	Unsigned  bool // an Int that holds no negative numbers, and larger ones
	Chars     int  // the longest text in characters; 0: no such limit
	Bytes     int  // the longest text in bytes; 0: no such limit
	Decimals  int  // digits behind the point of a number or of a second; -1: no limit
	Bits      int  // of a Float: 32 or 64
	Digits    int  // significant digits that a Decimal keeps; 0: no limit but the database's own
	Generated bool // computed by the database

	missing  string // SQL for a missing value
	declared string // MySQL's type, when Check has to know it
	full     string
}

// Errors about a user's table that callers decide on.
var (
	ErrNoTable = errors.New("no such table")
	ErrTable   = errors.New("the table does not suit")
)

// maxName is how long MySQL lets a name be, in characters.
const maxName = 64

// CheckName reports why a name cannot be a table's or a column's.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fmt.Errorf("%w: %q is no name: it is empty", ErrTable, name)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%w: %q is no name: it has blanks around it", ErrTable, name)
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return fmt.Errorf("%w: %q is no name: it is not text", ErrTable, name)
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("%w: the name %q is longer than %d characters", ErrTable, name, maxName)
	}
	return nil
}

// CheckTableName is CheckName for tables, and keeps Baler's own out of reach.
func CheckTableName(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if len(name) >= len("sqlite_") && strings.EqualFold(name[:len("sqlite_")], "sqlite_") {
		return fmt.Errorf("%w: %q is a name of SQLite's own; choose another name", ErrTable, name)
	}
	for _, own := range db.OwnTables() {
		if strings.EqualFold(name, own) {
			return fmt.Errorf("%w: %s is a table of Baler's own; choose another name", ErrTable, own)
		}
	}
	return nil
}
