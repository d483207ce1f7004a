package store

import "errors"

// Sentinels that callers decide on.
var (
	// ErrAlreadySealed: the transfer takes no more files.
	ErrSealed = errors.New("transfer is sealed")

	// ErrProducerConflict: another producer registers files with the same transfer.
	ErrProducerConflict = errors.New("another producer adds files to this transfer")

	// ErrSchemaNewer: the database has migrations that this program does not know.
	ErrSchemaNewer = errors.New("database was migrated by a newer version")

	// ErrNotMigrated: the database lacks tables that this program needs.
	ErrNotMigrated = errors.New("database is not migrated")
)
