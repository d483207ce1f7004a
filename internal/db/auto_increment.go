package db

import (
	"fmt"

	"gorm.io/gorm"
)

// AssignIDs corrects the AUTO_INCREMENT numbers of rows that GORM has just
// inserted, perInsert in a statement. MySQL returns only the first number of a
// statement, and GORM counts on from there by one; where several servers are
// written to, auto_increment_increment is larger. id points to a row's number.
func AssignIDs[R any](tx *gorm.DB, rows []R, perInsert int, id func(*R) *int64) error {
	if tx.Name() == string(SQLite) || len(rows) < 2 {
		return nil
	}
	var distance int64
	if err := tx.Raw("SELECT @@auto_increment_increment").Scan(&distance).Error; err != nil {
		return fmt.Errorf("read auto_increment_increment: %w", err)
	}
	for i := range rows {
		at := i % perInsert
		*id(&rows[i]) = *id(&rows[i-at]) + int64(at)*distance
	}
	return nil
}
