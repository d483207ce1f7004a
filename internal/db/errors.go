package db

import "errors"

// Errors about the version of a database.
var (
	// ErrSchemaNewer: the database has migrations that this program does not know.
	ErrSchemaNewer = errors.New("database was migrated by a newer version")

	// ErrSchemaOther: the database has tables as another build makes them under the same number.
	ErrSchemaOther = errors.New("database was made by another build of Baler")

	// ErrNotMigrated: the database lacks tables that this program needs.
	ErrNotMigrated = errors.New("database is not migrated")
)
