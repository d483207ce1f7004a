package store

import (
	"fmt"

	"gorm.io/gorm"
)

// assignBatchIDs corrects the numbers of batches that were just inserted, most
// to a statement. MySQL tells only the first of a statement; the others follow
// it at a distance of more than one where several servers are written to.
func assignBatchIDs(tx *gorm.DB, rows []batchRow, most int) error {
	if tx.Name() == string(SQLite) || len(rows) < 2 {
		return nil
	}
	var distance int64
	if err := tx.Raw("SELECT @@auto_increment_increment").Scan(&distance).Error; err != nil {
		return fmt.Errorf("number batches: %w", err)
	}
	for i := range rows {
		at := i % most
		rows[i].ID = rows[i-at].ID + int64(at)*distance
	}
	return nil
}
