package tableload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/db"
)

// Columns describes the columns of a user's table, in order. It returns ErrNoTable when
// the table does not exist.
func (s *Store) Columns(ctx context.Context, table string) ([]Column, error) {
	if err := CheckTableName(table); err != nil {
		return nil, err
	}
	ask := s.mysqlColumns
	if s.db.Dialect() == db.SQLite {
		ask = s.sqliteColumns
	}
	columns, err := ask(ctx, table)
	if err != nil {
		return nil, fmt.Errorf("read the columns of table %s: %w", table, err)
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("%w: %q in %s", ErrNoTable, table, s.db.Describe())
	}
	return columns, nil
}

// mysqlColumn is a row of information_schema.columns.
type mysqlColumn struct {
	Name     string
	Type     string // "bigint"
	Full     string // "bigint(20) unsigned"
	Nullable bool
	Fallback bool // it has a default
	Extra    string
	Chars    *int64
	Bytes    *int64
	Scale    *int64
	Fraction *int64 // digits of a second
}

func (s *Store) mysqlColumns(ctx context.Context, table string) ([]Column, error) {
	var rows []mysqlColumn
	err := s.db.Session(ctx).Raw(`SELECT column_name AS name, data_type AS type, column_type AS full,
		is_nullable = 'YES' AS nullable, column_default IS NOT NULL AS fallback, extra AS extra,
		character_maximum_length AS chars, character_octet_length AS bytes, numeric_scale AS scale,
		datetime_precision AS fraction
		FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position`, table).
		Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	documents, err := s.mariaDocuments(ctx, table)
	if err != nil {
		return nil, err
	}
	columns := make([]Column, len(rows))
	for i := range rows {
		columns[i] = rows[i].column()
		if documents(rows[i].Name) {
			columns[i].Kind = ColumnJSON
		}
	}
	return columns, nil
}

// mariaDocuments reports which columns are JSON on MariaDB, where a JSON column is a text
// column with a check.
func (s *Store) mariaDocuments(ctx context.Context, table string) (func(column string) bool, error) {
	var version string
	if err := s.db.Session(ctx).Raw("SELECT VERSION()").Scan(&version).Error; err != nil {
		return nil, err
	}
	var checks []string
	if strings.Contains(version, "MariaDB") {
		err := s.db.Session(ctx).Raw(`SELECT check_clause FROM information_schema.check_constraints
			WHERE constraint_schema = DATABASE() AND table_name = ?`, table).Scan(&checks).Error
		if err != nil {
			return nil, err
		}
	}
	return func(column string) bool {
		return slices.Contains(checks, "json_valid("+db.MySQL.Quote(column)+")")
	}, nil
}

func (r *mysqlColumn) column() Column {
	c := Column{
		Name: r.Name, Kind: mysqlKind(r.Type, r.Full), Unsigned: strings.Contains(r.Full, "unsigned") || r.Type == "bit", Decimals: -1,
		Generated: strings.Contains(strings.ToUpper(r.Extra), "GENERATED") && !strings.Contains(r.Extra, "DEFAULT_GENERATED"),
		missing:   "NULL",
	}
	counted := strings.Contains(r.Extra, "auto_increment") // the server replaces NULL with a number
	if !r.Nullable && r.Fallback {
		c.missing = "DEFAULT"
	}
	c.Required = !r.Nullable && !r.Fallback && !counted
	switch {
	case r.Scale != nil && (c.Kind == ColumnDecimal || c.Kind == ColumnFloat):
		c.Decimals = int(*r.Scale)
	case r.Fraction != nil:
		c.Decimals = int(*r.Fraction)
	}
	if c.Bits = 64; r.Type == "float" {
		c.Bits = 32
	}
	switch r.Type {
	case "year", "time", "enum", "set":
		c.declared, c.full = r.Type, r.Full
	}
	if c.Kind != ColumnText || r.Chars == nil || r.Bytes == nil {
		return c
	}
	if strings.Contains(r.Type, "text") || strings.Contains(r.Type, "blob") { // their limit is in bytes
		c.Bytes = int(min(*r.Bytes, 1<<31-1))
	} else {
		c.Chars = int(*r.Chars)
	}
	return c
}

// mysqlKind returns the kind of a column type. Values of unknown types, such as ENUM, are
// written as text, and the server accepts or refuses them; see Check.
func mysqlKind(name, full string) ColumnType {
	switch name {
	case "tinyint":
		if strings.HasPrefix(full, "tinyint(1)") {
			return ColumnBool
		}
		return ColumnInt
	case "smallint", "mediumint", "int", "bigint", "year":
		return ColumnInt
	case "float", "double":
		return ColumnFloat
	case "decimal":
		return ColumnDecimal
	case "bit":
		if full == "bit(1)" {
			return ColumnBool
		}
		return ColumnInt
	case "datetime", "timestamp":
		return ColumnTime
	case "date":
		return ColumnDate
	case "json":
		return ColumnJSON
	}
	return ColumnText
}

func (s *Store) sqliteColumns(ctx context.Context, table string) ([]Column, error) {
	var rows []struct {
		Name     string
		Type     string
		Required bool
		Fallback *string
		Pk       int
		Hidden   int
	}
	err := s.db.Session(ctx).Raw(`SELECT name, type, "notnull" AS required, dflt_value AS fallback, pk, hidden
		FROM pragma_table_xinfo(?) ORDER BY cid`, table).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	columns := make([]Column, len(rows))
	for i, r := range rows {
		c := Column{Name: r.Name, Kind: sqliteKind(r.Type), Decimals: -1, Bits: 64, Generated: r.Hidden > 1, missing: "NULL"}
		counted := r.Pk > 0 && strings.EqualFold(r.Type, "INTEGER") // the row's number
		if r.Required && r.Fallback != nil {
			c.missing = "(" + *r.Fallback + ")"
		}
		c.Required = r.Required && r.Fallback == nil && !counted
		if c.Kind == ColumnDecimal {
			c.Digits = 15 // the precision of SQLite's floating-point numbers
		}
		columns[i] = c
	}
	return columns, nil
}

// sqliteKind reads a declared type nearly like SQLite (datatype3.html, section 3.1).
func sqliteKind(declared string) ColumnType {
	t := strings.ToUpper(declared)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(t, w) })
	}
	switch {
	case has("JSON"):
		return ColumnJSON
	case has("BOOL"):
		return ColumnBool
	case has("INT"):
		return ColumnInt
	case has("CHAR", "CLOB", "TEXT"):
		return ColumnText
	case has("REAL", "FLOAT", "DOUBLE"):
		return ColumnFloat
	case has("DATETIME", "TIMESTAMP"):
		return ColumnTime
	case has("DEC", "NUMERIC"):
		return ColumnDecimal
	}
	return ColumnText
}
