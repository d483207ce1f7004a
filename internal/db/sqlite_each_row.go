package db

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
)

// eachRow, as the only argument of a SQLite statement, runs it once for each of a number of
// rows. For a call a row, database/sql takes as long as SQLite takes for a small row.
type eachRow struct {
	rows, columns int

	// values puts the values of a row into an array, which is used again.
	values func(row int, into []any) error
}

// exec runs the statement for all rows, or until one fails.
func (e *eachRow) exec(ctx context.Context, s sqliteStatement) error {
	values := make([]any, e.columns)
	args := make([]sqldriver.NamedValue, e.columns)
	for row := range e.rows {
		if err := e.values(row, values); err != nil {
			return err
		}
		for i, v := range values {
			args[i] = sqldriver.NamedValue{Ordinal: i + 1, Value: v}
			if err := convert(s, &args[i]); err != nil {
				return err
			}
		}
		if _, err := s.ExecContext(ctx, args); err != nil {
			return err
		}
	}
	return nil
}

// convert does what database/sql does with each argument.
func convert(s sqliteStatement, arg *sqldriver.NamedValue) (err error) {
	if err = s.CheckNamedValue(arg); errors.Is(err, sqldriver.ErrSkip) {
		arg.Value, err = sqldriver.DefaultParameterConverter.ConvertValue(arg.Value)
	}
	return err
}
