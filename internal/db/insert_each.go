package db

import (
	"errors"
	"fmt"
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// InsertEach inserts rows by one statement for one row, which is prepared once. On SQLite
// a statement of many rows is no faster to run, and takes longer to read; and what it has
// changed is copied aside, in case it fails halfway.
func InsertEach[R any](tx *gorm.DB, rows []R, size func(*R) int) (err error) {
	if len(rows) == 0 {
		return nil
	}
	fields, text, err := insertOne(tx, &rows[0])
	if err != nil {
		return err
	}
	prepared, err := tx.Statement.ConnPool.PrepareContext(tx.Statement.Context, text)
	if err != nil {
		return Interrupted(tx.Statement.Context, err)
	}
	defer func() { err = errors.Join(err, prepared.Close()) }()
	values := func(i int, into []any) error {
		if n := size(&rows[i]); n > MaxRowBytes {
			return fmt.Errorf("%w: %d bytes, the limit is %d", ErrRowTooLarge, n, MaxRowBytes)
		}
		row := reflect.ValueOf(&rows[i]).Elem()
		for j, f := range fields {
			into[j], _ = f.ValueOf(tx.Statement.Context, row)
		}
		return nil
	}
	_, err = prepared.ExecContext(tx.Statement.Context, &eachRow{rows: len(rows), columns: len(fields), values: values})
	return Interrupted(tx.Statement.Context, err)
}

// insertOne has GORM write the statement of one row, and returns the fields of its
// parameters, in their order.
func insertOne[R any](tx *gorm.DB, row *R) (fields []*schema.Field, text string, err error) {
	s := tx.Session(&gorm.Session{DryRun: true}).Create(row).Statement
	if s.Error != nil {
		return nil, "", s.Error
	}
	values, _ := s.Clauses["VALUES"].Expression.(clause.Values)
	for _, c := range values.Columns {
		fields = append(fields, s.Schema.FieldsByDBName[c.Name])
	}
	return fields, s.SQL.String(), nil
}
