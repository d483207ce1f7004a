package tableload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/db"
)

// CreateTable creates a user's table with columns by their Name and Kind, unless a table
// of that name exists. The key, if any, becomes its primary key. Text is compared byte by
// byte.
func (s *Store) CreateTable(ctx context.Context, table string, columns []Column, key []string) error {
	if err := CheckTableName(table); err != nil {
		return err
	}
	if err := s.checkCharacters(table); err != nil {
		return fmt.Errorf("%w; choose another name", err)
	}
	if len(columns) == 0 {
		return fmt.Errorf("%w: %s would have no columns", ErrTable, table)
	}
	if err := checkNames(columns); err != nil {
		return err
	}
	var definitions []string
	for i := range columns {
		if err := CheckName(columns[i].Name); err != nil {
			return err
		}
		if err := s.checkCharacters(columns[i].Name); err != nil {
			return fmt.Errorf("%w; give the column another name with a mapping", err)
		}
		inKey := slices.Contains(key, columns[i].Name)
		d := s.db.Dialect().Quote(columns[i].Name) + " " + typeOf(s.db.Dialect(), columns[i].Kind, inKey)
		if inKey {
			d += " NOT NULL"
		}
		definitions = append(definitions, d)
	}
	if len(key) > 0 {
		definitions = append(definitions, "PRIMARY KEY ("+s.db.Dialect().QuoteAll(key)+")")
	}
	engine, err := s.engineOf(ctx)
	if err != nil {
		return fmt.Errorf("create table %s: %w", table, err)
	}
	statement := fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (%s%s)%s",
		s.db.Dialect().Quote(table), s.ownMark(), strings.Join(definitions, ", "), engine)
	if err := s.db.Exec(ctx, statement); err != nil {
		return fmt.Errorf("create table %s: %w", table, inWords(err))
	}
	return nil
}

// checkNames returns an error for columns whose names a database treats as equal.
func checkNames(columns []Column) error {
	for i := range columns {
		for j := range columns[:i] {
			if strings.EqualFold(columns[i].Name, columns[j].Name) {
				return fmt.Errorf("%w: the columns %q and %q differ in letter case at most, and databases treat them as one; "+
					"give them different names with a mapping, as in other=%s", ErrTable, columns[j].Name, columns[i].Name, columns[i].Name)
			}
		}
	}
	return nil
}

// engineOf is the engine and the collation of a new table. utf8mb4_bin ignores trailing
// blanks when it compares; MariaDB and MySQL have different names for the collation that
// does not.
func (s *Store) engineOf(ctx context.Context) (string, error) {
	if s.db.Dialect() == db.SQLite {
		return "", nil
	}
	var exact []string
	err := s.db.Session(ctx).Raw(`SELECT collation_name FROM information_schema.collations
		WHERE collation_name IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')`).Scan(&exact).Error
	if err != nil {
		return "", err
	}
	return " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=" + append(exact, "utf8mb4_bin")[0] + " COMMENT='" + madeByBaler + "'", nil
}

// typeOf is the type of a new column. On SQLite, sqliteKind returns the same kind for the
// declared type. SQLite would round decimals, so there they are text.
func typeOf(d db.Dialect, k ColumnType, inKey bool) string {
	lite, server := "TEXT", "MEDIUMTEXT"
	switch k {
	case ColumnInt:
		lite, server = "INTEGER", "BIGINT"
	case ColumnFloat:
		lite, server = "REAL", "DOUBLE"
	case ColumnDecimal:
		server = "DECIMAL(65,20)"
	case ColumnBool:
		lite, server = "BOOLEAN", "BOOLEAN"
	case ColumnTime:
		lite, server = "DATETIME", "DATETIME(6)"
	case ColumnJSON:
		lite, server = "JSON TEXT", "JSON"
	case ColumnDate:
		lite, server = "DATE", "DATE"
	case ColumnText:
		if inKey {
			server = "VARCHAR(255)"
		}
	}
	if d == db.SQLite {
		return lite
	}
	return server
}
