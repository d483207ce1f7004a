package tableload

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/balerhq/baler/internal/db"
)

// OnDuplicate is the action for a row whose key is in the table already.
type OnDuplicate string

// The actions on a duplicate.
const (
	DuplicateError  OnDuplicate = "error"  // the row becomes a rejected line
	DuplicateIgnore OnDuplicate = "ignore" // the row in the table stays
	DuplicateUpdate OnDuplicate = "update" // the row in the table gets the new values
)

// Table is a user's table that rows are loaded into. Make one with Store.Table. It is
// safe for concurrent use.
type Table struct {
	s       *Store
	name    string
	target  []byte   // the table's short name in the log
	packet  int      // see packetBytes
	columns []Column // in the order of a row's values
	on      OnDuplicate
	counted bool // the session counts duplicates: see clause

	insert string // the text before the rows
	clause string // the text after the rows
	first  string // SQLite's Update: the text after the rows in a first pass that finds the duplicates
}

// Table prepares loading rows of the named columns. Every column without a default must
// be among them, and the key must be a unique key of the table; DuplicateIgnore and
// DuplicateUpdate need a key.
func (s *Store) Table(ctx context.Context, name string, columns, key []string, on OnDuplicate) (*Table, error) {
	all, err := s.Columns(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := s.checkEngine(ctx, name); err != nil {
		return nil, err
	}
	t := &Table{s: s, name: name, on: on}
	if t.target, err = s.targetOf(ctx, name); err != nil {
		return nil, err
	}
	if t.packet, err = s.packetBytes(ctx); err != nil {
		return nil, err
	}
	if t.columns, err = chosen(name, all, columns); err != nil {
		return nil, err
	}
	t.insert = fmt.Sprintf("INSERT INTO %s (%s) VALUES ", s.db.Dialect().Quote(name), s.db.Dialect().QuoteAll(t.names()))
	if on == DuplicateError && len(key) == 0 {
		return t, nil
	}
	if key, err = t.own(key); err != nil {
		return nil, err
	}
	if err := s.checkKey(ctx, t, key); err != nil {
		return nil, err
	}
	if on == DuplicateError {
		return t, nil
	}
	if s.db.Dialect() == db.SQLite {
		t.conflict(key)
	} else {
		t.duplicate(key)
	}
	return t, nil
}

// chosen finds the named columns, and returns an error when a required column is not among
// them.
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
			wrong = append(wrong, fmt.Errorf("%w: column %q of %s is computed; leave it out of the mapping", ErrTable, name, table))
		case used[all[i].Name]:
			wrong = append(wrong, fmt.Errorf("%w: column %q is named twice", ErrTable, name))
		default:
			used[all[i].Name] = true
			found = append(found, all[i])
		}
	}
	for i := range all {
		if all[i].Required && !used[all[i].Name] && !all[i].Generated {
			wrong = append(wrong, fmt.Errorf("%w: column %q of %s is NOT NULL and has no default, and nothing is mapped to it",
				ErrTable, all[i].Name, table))
		}
	}
	return found, errors.Join(wrong...)
}

// Columns returns the table's columns in the order of a row's values.
func (t *Table) Columns() []Column { return t.columns }

// NewRows makes an empty RowBuffer for this table.
func (t *Table) NewRows() *RowBuffer { return &RowBuffer{sqlite: t.s.db.Dialect() == db.SQLite} }

// ResetRows resets a RowBuffer of any table for this table. It keeps the memory.
func (t *Table) ResetRows(r *RowBuffer) {
	r.reset()
	r.sqlite = t.s.db.Dialect() == db.SQLite
}

func (t *Table) names() []string {
	names := make([]string, len(t.columns))
	for i := range t.columns {
		names[i] = t.columns[i].Name
	}
	return names
}

// own returns the key's columns in the table's spelling, and marks them.
func (t *Table) own(key []string) ([]string, error) {
	own := make([]string, len(key))
	for i, name := range key {
		at := slices.IndexFunc(t.columns, func(c Column) bool { return strings.EqualFold(c.Name, name) })
		if at < 0 {
			return nil, fmt.Errorf("%w: nothing is mapped to %q, a column of the key", ErrTable, name)
		}
		t.columns[at].Key = true
		own[i] = t.columns[at].Name
	}
	return own, nil
}
