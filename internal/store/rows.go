package store

import (
	"errors"
	"fmt"

	"gorm.io/gorm"
)

// takeRow reads the row that q selects, or returns missing when there is none.
func takeRow[R any](q *gorm.DB, what string, missing error) (row R, err error) {
	err = q.Take(&row).Error
	switch {
	case errors.Is(err, gorm.ErrRecordNotFound):
		return row, missing
	case err != nil:
		return row, fmt.Errorf("read %s: %w", what, err)
	}
	return row, nil
}

// fromRows returns what each row stands for.
func fromRows[R, T any](rows []R, of func(*R) T) []T {
	all := make([]T, len(rows))
	for i := range rows {
		all[i] = of(&rows[i])
	}
	return all
}
