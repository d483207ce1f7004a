package db

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// senseless has values of other types for each type of column in SQLite.
var senseless = map[string][]string{
	"INTEGER": {"'big'", "1.5", "x'ff'"},
	"REAL":    {"'big'", "x'ff'"},
	"BOOLEAN": {"'big'", "2", "-1", "x'ff'"},
	"DATETIME": {
		"'x'", "5", "1.5", "x'ff'", "''", "'2026-01-02'", "'2026-13-02 03:04:05.000000+00:00'", "'abcd-01-02 03:04:05.000000+00:00'",
		"'2026-01-02 03:04:05.000000+02:00'", "'2026-02-30 03:04:05.000000+00:00'", "'2026-01-02 24:00:00.000000+00:00'",
		"'2026-01-02 03:04:05.00000x+00:00'",
	},
}

// sensible has one value for each type.
var sensible = map[string]string{
	"INTEGER": "1", "REAL": "1.5", "BOOLEAN": "1", "DATETIME": "'2026-01-02 03:04:05.000006+00:00'", "TEXT": "'x'", "BLOB": "x'00'",
}

// Columns of text that hold words of a list, or JSON.
var (
	senselessWords = map[string][]string{"state": {"'bogus'", "''", "x'ff'"}, "outcome": {"'bogus'", "''", "5"}, "facts": {"'garbage'", "'[1]'", "''", "'5'"}, "result": {"'bogus'", "''", "5"}, "stage": {"'bogus'", "''", "5"}}
	sensibleWords  = map[string]string{
		"state": "'running'", "outcome": "'timed_out'", "facts": `'{"a": 1}'`, "result": "'done'", "stage": "'moving'", "approval": "'waiting'",
	}
)

type sqliteColumn struct {
	Name, Type string
	Pk         int
}

// SQLite keeps any value in any column; the tables refuse what could not be read.
func TestColumnsRefuseOtherTypes(t *testing.T) {
	t.Parallel()
	b := newEnv(t, SQLite)
	if _, err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := b.Session(t.Context())
	var tables []string
	err := s.Raw("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> ?", migrationsTable).
		Scan(&tables).Error
	if err != nil || len(tables) < 15 {
		t.Fatalf("tables %v, %v", tables, err)
	}
	for _, table := range tables {
		var columns []sqliteColumn
		if err := s.Raw("SELECT name, type, pk FROM pragma_table_info(?)", table).Scan(&columns).Error; err != nil {
			t.Fatal(err)
		}
		insert := func(column, value string) error {
			row := make(map[string]string)
			for _, c := range columns {
				row[c.Name] = cmp.Or(sensibleWords[c.Name], sensible[c.Type])
				if c.Name == column {
					row[c.Name] = value
				}
			}
			names := slices.Sorted(maps.Keys(row))
			values := make([]string, len(names))
			for i, name := range names {
				values[i] = row[name]
			}
			statement := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(names, ", "), strings.Join(values, ", "))
			return b.Exec(t.Context(), statement)
		}
		if err := insert("", ""); err != nil {
			t.Fatalf("%s: a row that makes sense is refused: %v", table, err)
		}
		if err := b.Exec(t.Context(), "DELETE FROM "+table); err != nil {
			t.Fatal(err)
		}
		for _, c := range columns {
			for _, value := range append(senseless[c.Type], senselessWords[c.Name]...) {
				if err := insert(c.Name, value); err == nil {
					t.Errorf("%s.%s takes %s", table, c.Name, value)
				}
			}
		}
	}
}

func TestBooleansRefuseOtherNumbers(t *testing.T) {
	t.Parallel()
	b := newEnv(t, MySQL)
	if _, err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := b.Session(t.Context())
	var unchecked []string
	err := s.Raw(`SELECT CONCAT(c.table_name, '.', c.column_name) FROM information_schema.columns c
		WHERE c.table_schema = DATABASE() AND c.column_type LIKE 'tinyint(1)%' AND NOT EXISTS (
			SELECT 1 FROM information_schema.check_constraints k WHERE k.constraint_schema = DATABASE()
				AND k.check_clause LIKE CONCAT('%', c.column_name, '% in (0,1)%'))`).Scan(&unchecked).Error
	if err != nil || len(unchecked) > 0 {
		t.Errorf("booleans that take any number: %v, %v", unchecked, err)
	}
}

// Errors about values that bypassed the checks use no words of Go or SQL.
func TestMisreadIsPlain(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		s := b.Session(t.Context())
		var into struct{ When time.Time }
		err := s.Raw("SELECT 'x' AS `when`").Scan(&into).Error
		wantErr(t, err, ErrMisread)
		if err == nil || !strings.Contains(err.Error(), "column when") || strings.Contains(err.Error(), "Scan") || strings.Contains(err.Error(), "*time") {
			t.Errorf("%v", err)
		}
		wantErr(t, Misread(b.Ping(t.Context())), nil)
	})
}
