package db

import (
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// errRowsInserted reports a server that has inserted fewer or more rows than a statement has.
var errRowsInserted = errors.New("the database server reports another number of inserted rows")

// BulkColumn is one column of a table that BulkInsert fills.
type BulkColumn[R any] struct {
	Name  string
	Write func(l Literals, r *R) Literals

	// IsSet reports whether a row has a value other than the column's default.
	// A statement in which no row has one leaves the column out, and the server
	// has less to read. Nil: the column is always written.
	IsSet func(r *R) bool

	// Same reports whether two rows have the same value. A statement in which all rows
	// do may give the value once. Nil: the column is written for each row.
	Same func(a, b *R) bool
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
		text := bulkStatement(tx, table, columns, part, size)
		// Not through GORM, which would look for parameters in the text.
		result, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, string(text))
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err == nil && n != int64(len(part)) {
			err = fmt.Errorf("%w: %d of %d", errRowsInserted, n, len(part))
		}
		return err
	})
}

// bulkStatement is the INSERT of all rows that costs the server least.
func bulkStatement[R any](tx *gorm.DB, table string, all []BulkColumn[R], rows []R, size func(*R) int) Literals {
	columns := make([]BulkColumn[R], 0, len(all))
	for _, c := range all {
		if c.IsSet == nil || anyRow(rows, c.IsSet) {
			columns = append(columns, c)
		}
	}
	if takesConstants(tx) && len(rows) >= constantsRows && !anyRow(rows, func(r *R) bool { return size(r) > constantsBytes }) {
		if text := insertWithConstants(table, columns, rows); text != nil {
			return text
		}
	}
	return insertStatement(table, columns, rows)
}

// insertStatement is one INSERT with the values of all columns in each row.
func insertStatement[R any](table string, columns []BulkColumn[R], rows []R) Literals {
	l := appendHead(make(Literals, 0, 256+128*len(rows)), table, columns)
	return appendRows(append(l, " VALUES "...), columns, rows)
}

// appendHead appends the begin of an INSERT: the table and the columns.
func appendHead[R any](l Literals, table string, columns []BulkColumn[R]) Literals {
	l = append(append(append(l, "INSERT INTO "...), table...), ' ')
	separator := byte('(')
	for _, c := range columns {
		l = append(append(l, separator), c.Name...)
		separator = ','
	}
	return append(l, ')')
}

// appendRows appends the values of some columns, row by row.
func appendRows[R any](l Literals, columns []BulkColumn[R], rows []R) Literals {
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
