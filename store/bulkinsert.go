package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// column is one column of a table that is filled in bulk.
type column[R any] struct {
	name  string
	write func(l literals, r *R) literals

	// said reports whether a row says more than the column's default. Where no
	// row of a statement does, the column is left out, and the server has that
	// much less to read. Nil: the column is always written.
	said func(r *R) bool
}

// insertText is one INSERT of all rows.
func insertText[R any](table string, all []column[R], rows []R) literals {
	columns := make([]column[R], 0, len(all))
	for _, c := range all {
		if c.said == nil || anySays(rows, c.said) {
			columns = append(columns, c)
		}
	}
	l := make(literals, 0, 256+128*len(rows))
	l = append(append(append(l, "INSERT INTO "...), table...), " ("...)
	for i, c := range columns {
		if i > 0 {
			l = append(l, ',')
		}
		l = append(l, c.name...)
	}
	l = append(l, ") VALUES "...)
	for i := range rows {
		separator := byte('(')
		if i > 0 {
			l = append(l, ',')
		}
		for _, c := range columns {
			l = c.write(append(l, separator), &rows[i])
			separator = ','
		}
		l = append(l, ')')
	}
	return l
}

func anySays[R any](rows []R, said func(*R) bool) bool {
	for i := range rows {
		if said(&rows[i]) {
			return true
		}
	}
	return false
}

// bulkRows are rows that write their own INSERT.
type bulkRows interface{ insert() literals }

// replaceBulkInsert lets rows that can write their own INSERT do so. GORM asks each
// field of each row for its value by reflection, and the standard library and
// the driver look at each value again: for a row of 15 columns that took three
// times as long as writing the text.
func replaceBulkInsert(db *gorm.DB) error {
	create := db.Callback().Create()
	byFields := create.Get("gorm:create")
	err := create.Replace("gorm:create", func(tx *gorm.DB) {
		rows, ok := tx.Statement.Dest.(bulkRows)
		if !ok || tx.Error != nil {
			byFields(tx)
			return
		}
		n, err := execute(tx.Statement.Context, tx.Statement.ConnPool, rows.insert())
		tx.RowsAffected = n
		_ = tx.AddError(err) // it is kept in tx
	})
	if err != nil {
		return fmt.Errorf("take bulk inserts: %w", err)
	}
	return nil
}

func execute(ctx context.Context, on gorm.ConnPool, text literals) (rows int64, err error) {
	done, err := on.ExecContext(ctx, string(text))
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}
