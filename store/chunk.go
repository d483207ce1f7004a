package store

import "gorm.io/gorm"

// How many rows go into one INSERT. MySQL likes few round trips. SQLite has
// none to save, and its driver looks for each parameter among all of the
// statement's: at 1000 rows that took ten times as long as all the rest.
const (
	mysqlChunk  = 1000
	sqliteChunk = 25
)

func chunk(tx *gorm.DB) int {
	if tx.Name() == string(SQLite) {
		return sqliteChunk
	}
	return mysqlChunk
}
