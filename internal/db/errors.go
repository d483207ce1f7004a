package db

import "errors"

// Errors about the version of a database.
var (
	// ErrSchemaNewer: the database has migrations that this program does not know.
	ErrSchemaNewer = errors.New("database was migrated by a newer version")

	// ErrNotMigrated: the database lacks tables that this program needs.
	ErrNotMigrated = errors.New("database is not migrated")
)
