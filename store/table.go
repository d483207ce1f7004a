package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// OnDuplicate says what becomes of a row whose key is in the table already.
type OnDuplicate string

// What can become of it.
const (
	Refuse OnDuplicate = "error"  // the database's answer: the row is set aside
	Ignore OnDuplicate = "ignore" // the row in the table stays
	Update OnDuplicate = "update" // the row in the table takes the new values
)

// Table is a user's table that rows are loaded into. It is made by
// Store.Table and safe for concurrent use.
type Table struct {
	s       *Store
	name    string
	columns []Column // in the order of a row's values
	on      OnDuplicate
	counted bool // the session counts duplicates: see clause

	insert string // what stands before the rows
	clause string // what stands behind them
	first  string // SQLite's Update: what stands behind them in a first pass that finds the duplicates
}

// Table prepares loading rows of the named columns. Every column that has no
// default must be among them, and, when duplicates are not refused, the key
// must be a unique key of the table.
func (s *Store) Table(ctx context.Context, name string, columns, key []string, on OnDuplicate) (*Table, error) {
	all, err := s.Columns(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := s.checkEngine(ctx, name); err != nil {
		return nil, err
	}
	t := &Table{s: s, name: name, on: on}
	if t.columns, err = chosen(name, all, columns); err != nil {
		return nil, err
	}
	t.insert = fmt.Sprintf("INSERT INTO %s (%s) VALUES ", s.dialect.quote(name), s.dialect.quoteAll(t.names()))
	if on == Refuse {
		return t, nil
	}
	key, err = t.own(key)
	if err != nil {
		return nil, err
	}
	if err := s.checkKey(ctx, t, key); err != nil {
		return nil, err
	}
	if s.dialect == SQLite {
		t.conflict(key)
	} else {
		t.duplicate(key)
	}
	return t, nil
}

// checkEngine makes sure that a table's rows come and go with transactions:
// else nothing could keep them from going in twice.
func (s *Store) checkEngine(ctx context.Context, table string) error {
	if s.dialect == SQLite {
		return nil
	}
	var engines []string
	err := s.db.WithContext(ctx).Raw(`SELECT t.engine FROM information_schema.tables AS t
		JOIN information_schema.engines AS e ON e.engine = t.engine
		WHERE t.table_schema = DATABASE() AND t.table_name = ? AND e.transactions <> 'YES'`, table).Scan(&engines).Error
	if err != nil {
		return fmt.Errorf("look at table %s: %w", table, err)
	}
	if len(engines) > 0 {
		return fmt.Errorf("%w: %s is a table of %s, which knows no transactions; ALTER TABLE %s ENGINE=InnoDB makes it one that does",
			ErrTable, table, engines[0], s.dialect.quote(table))
	}
	return nil
}

// chosen finds the named columns, and complains of those that would lack a value.
func chosen(table string, all []Column, names []string) ([]Column, error) {
	var found []Column
	var wrong []error
	used := make(map[string]bool)
	for _, name := range names {
		i := slices.IndexFunc(all, func(c Column) bool { return strings.EqualFold(c.Name, name) })
		switch {
		case i < 0:
			wrong = append(wrong, fmt.Errorf("%w: %s has no column %q", ErrTable, table, name))
		case all[i].Generated:
			wrong = append(wrong, fmt.Errorf("%w: %s computes its column %q by itself", ErrTable, table, name))
		case used[all[i].Name]:
			wrong = append(wrong, fmt.Errorf("%w: column %q is named twice", ErrTable, name))
		default:
			used[all[i].Name] = true
			found = append(found, all[i])
		}
	}
	for i := range all {
		if all[i].Required && !used[all[i].Name] && !all[i].Generated {
			wrong = append(wrong, fmt.Errorf("%w: column %q of %s takes no NULL and has no default, and nothing is mapped to it",
				ErrTable, all[i].Name, table))
		}
	}
	return found, errors.Join(wrong...)
}

// Columns are the table's columns in the order of a row's values.
func (t *Table) Columns() []Column { return t.columns }

// Rows makes an empty collection of rows for this table.
func (t *Table) Rows() *Rows { return &Rows{sqlite: t.s.dialect == SQLite} }

// Empty makes a collection, of whichever table, an empty one for this table. It
// keeps the memory.
func (t *Table) Empty(r *Rows) {
	r.reset()
	r.sqlite = t.s.dialect == SQLite
}

func (t *Table) names() []string {
	names := make([]string, len(t.columns))
	for i := range t.columns {
		names[i] = t.columns[i].Name
	}
	return names
}

// own spells the key's columns as the table does.
func (t *Table) own(key []string) ([]string, error) {
	own := make([]string, len(key))
	for i, name := range key {
		at := slices.IndexFunc(t.columns, func(c Column) bool { return strings.EqualFold(c.Name, name) })
		if at < 0 {
			return nil, fmt.Errorf("%w: nothing is mapped to %q, which is of the key", ErrTable, name)
		}
		own[i] = t.columns[at].Name
	}
	return own, nil
}

// duplicate writes MySQL's clause. The number of affected rows does not tell
// duplicates, so a variable of the session counts them: INSERT IGNORE, which
// would tell, also bends values until they fit.
func (t *Table) duplicate(key []string) {
	t.counted = true
	counting := func(column, value string) string {
		return fmt.Sprintf("%s = IF((@baler_duplicates := @baler_duplicates + 1) > 0, %s, %s)", column, value, value)
	}
	var sets []string
	for _, name := range t.names() {
		column := t.s.dialect.quote(name)
		value := "VALUES(" + column + ")"
		switch {
		case t.on == Ignore || slices.Contains(key, name):
		case len(sets) == 0:
			sets = append(sets, counting(column, value))
		default:
			sets = append(sets, column+" = "+value)
		}
	}
	if len(sets) == 0 {
		column := t.s.dialect.quote(key[0])
		sets = []string{counting(column, column)}
	}
	t.clause = " ON DUPLICATE KEY UPDATE " + strings.Join(sets, ", ")
}

// conflict writes SQLite's clause.
func (t *Table) conflict(key []string) {
	target := " ON CONFLICT (" + t.s.dialect.quoteAll(key) + ") DO "
	t.clause = target + "NOTHING"
	var sets []string
	for _, name := range t.names() {
		if column := t.s.dialect.quote(name); !slices.Contains(key, name) {
			sets = append(sets, column+" = excluded."+column)
		}
	}
	if t.on == Update && len(sets) > 0 {
		t.first, t.clause = t.clause, target+"UPDATE SET "+strings.Join(sets, ", ")
	}
}

// checkKey makes sure that the database will notice duplicates of the key.
func (s *Store) checkKey(ctx context.Context, t *Table, key []string) error {
	if len(key) == 0 {
		return fmt.Errorf("%w: duplicates can be told by a key only; name its columns", ErrTable)
	}
	ask := s.mysqlKey
	if s.dialect == SQLite {
		ask = s.sqliteKey
	}
	unique, err := ask(ctx, t.name, key)
	if err != nil {
		return fmt.Errorf("look at the keys of %s: %w", t.name, err)
	}
	if !unique {
		return fmt.Errorf("%w: %s has no primary or unique key of just %s; create one, or name the columns of the one that it has",
			ErrTable, t.name, strings.Join(key, ", "))
	}
	return nil
}

func (s *Store) mysqlKey(ctx context.Context, table string, key []string) (bool, error) {
	var rows []struct{ Name, Part string }
	err := s.db.WithContext(ctx).Raw(`SELECT index_name AS name, column_name AS part FROM information_schema.statistics
		WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 0 AND sub_part IS NULL`, table).Scan(&rows).Error
	if err != nil {
		return false, err
	}
	parts := make(map[string][]string)
	for _, r := range rows {
		parts[r.Name] = append(parts[r.Name], r.Part)
	}
	return hasKey(parts, key), nil
}

func (s *Store) sqliteKey(ctx context.Context, table string, key []string) (bool, error) {
	var rows []struct{ Name, Part string }
	err := s.db.WithContext(ctx).Raw(`SELECT l.name AS name, i.name AS part
		FROM pragma_index_list(?) AS l, pragma_index_info(l.name) AS i WHERE l."unique" = 1 AND l.partial = 0
		UNION ALL SELECT '' AS name, name AS part FROM pragma_table_info(?) WHERE pk > 0`, table, table).Scan(&rows).Error
	if err != nil {
		return false, err
	}
	parts := make(map[string][]string)
	for _, r := range rows {
		parts[r.Name] = append(parts[r.Name], r.Part)
	}
	return hasKey(parts, key), nil
}

// hasKey reports whether an index is of just the columns of the key.
func hasKey(indexes map[string][]string, key []string) bool {
	for _, parts := range indexes {
		if len(parts) == len(key) && !slices.ContainsFunc(key, func(k string) bool { return !slices.Contains(parts, k) }) {
			return true
		}
	}
	return false
}
