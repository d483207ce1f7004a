package tableload

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/db"
)

// madeByBaler marks tables that CreateTable has made: on MySQL it is the table's comment,
// on SQLite a comment in its definition, which SQLite keeps.
const madeByBaler = "created by baler"

func (s *Store) ownMark() string {
	if s.db.Dialect() == db.SQLite {
		return "/* " + madeByBaler + " */ "
	}
	return ""
}

// IsOwn reports whether CreateTable has made a table.
func (s *Store) IsOwn(ctx context.Context, table string) (bool, error) {
	query := "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND table_comment = ?"
	mark := madeByBaler
	if s.db.Dialect() == db.SQLite {
		query = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND LOWER(name) = LOWER(?) AND INSTR(sql, ?) > 0"
		mark = "(" + s.ownMark()
	}
	var own int64
	if err := s.db.Session(ctx).Raw(query, table, mark).Scan(&own).Error; err != nil {
		return false, fmt.Errorf("check whether Baler created table %s: %w", table, err)
	}
	return own > 0, nil
}

// AddColumns adds columns to a table by their Name and Kind; they are NULL in existing
// rows. Another process may add the same columns at the same time.
func (s *Store) AddColumns(ctx context.Context, table string, columns []Column) error {
	known, err := s.Columns(ctx, table)
	if err != nil {
		return err
	}
	if err := checkNames(append(slices.Clone(known), columns...)); err != nil {
		return err
	}
	for i := range columns {
		c := &columns[i]
		if err := CheckName(c.Name); err != nil {
			return err
		}
		if err := s.checkCharacters(c.Name); err != nil {
			return fmt.Errorf("%w; give the column another name with a mapping", err)
		}
		statement := fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s",
			s.db.Dialect().Quote(table), s.db.Dialect().Quote(c.Name), typeOf(s.db.Dialect(), c.Kind, false))
		if err := s.db.Exec(ctx, statement); err != nil {
			if has, failed := s.hasColumn(ctx, table, c.Name); failed != nil || !has {
				return fmt.Errorf("add column %s to table %s: %w", c.Name, table, inWords(err))
			}
		}
	}
	return nil
}

func (s *Store) hasColumn(ctx context.Context, table, name string) (bool, error) {
	columns, err := s.Columns(ctx, table)
	return slices.ContainsFunc(columns, func(c Column) bool { return strings.EqualFold(c.Name, name) }), err
}
