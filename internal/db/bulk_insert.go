package db

import (
	"gorm.io/gorm"
)

// BulkColumn is one column of a table that BulkInsert fills.
type BulkColumn[R any] struct {
	Name  string
	Write func(l Literals, r *R) Literals

	// IsSet reports whether a row has a value other than the column's default.
	// A statement in which no row has one leaves the column out, and the server
	// has less to read. Nil: the column is always written.
	IsSet func(r *R) bool
}

// BulkInsert inserts rows in statements as InsertBySize does. On MySQL it writes
// the values as literals: GORM reads each field by reflection, and database/sql
// and the driver convert each value again, which takes three times as long for a
// row of 15 columns. On SQLite it does as InsertEach, so R must be a model of table with
// the same columns.
func BulkInsert[R any](tx *gorm.DB, table string, columns []BulkColumn[R], rows []R, size func(*R) int) error {
	if tx.Name() == string(SQLite) {
		return InsertEach(tx.Omit(unset(columns, rows)...), rows, size)
	}
	return eachInsert(tx, rows, size, func(part []R) error {
		text := insertStatement(table, columns, part)
		// Not through GORM, which would look for parameters in the text.
		_, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, string(text))
		return err
	})
}

// insertStatement is one INSERT of all rows.
func insertStatement[R any](table string, all []BulkColumn[R], rows []R) Literals {
	columns := make([]BulkColumn[R], 0, len(all))
	for _, c := range all {
		if c.IsSet == nil || anyRow(rows, c.IsSet) {
			columns = append(columns, c)
		}
	}
	l := make(Literals, 0, 256+128*len(rows))
	l = append(append(append(l, "INSERT INTO "...), table...), " ("...)
	for i, c := range columns {
		if i > 0 {
			l = append(l, ',')
		}
		l = append(l, c.Name...)
	}
	l = append(l, ") VALUES "...)
	for i := range rows {
		separator := byte('(')
		if i > 0 {
			l = append(l, ',')
		}
		for _, c := range columns {
			l = c.Write(append(l, separator), &rows[i])
			separator = ','
		}
		l = append(l, ')')
	}
	return l
}

// unset names the columns that have their default in all rows.
func unset[R any](all []BulkColumn[R], rows []R) (names []string) {
	for _, c := range all {
		if c.IsSet != nil && !anyRow(rows, c.IsSet) {
			names = append(names, c.Name)
		}
	}
	return names
}

func anyRow[R any](rows []R, holds func(*R) bool) bool {
	for i := range rows {
		if holds(&rows[i]) {
			return true
		}
	}
	return false
}
