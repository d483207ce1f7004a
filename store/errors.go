package store

import "errors"

// Sentinels that callers decide on.
var (
	// ErrLeaseLost: the batch was closed, or taken over by a later delivery.
	// Nothing was recorded; whoever took over will do it.
	ErrLeaseLost = errors.New("batch was taken over or is closed")

	// ErrResultExists: an earlier delivery of the batch, of which the ledger was never
	// told that it gave up, has recorded some of the files, and they ended otherwise.
	// Nothing was recorded; the next delivery leaves them out.
	ErrResultExists = errors.New("an earlier delivery of the batch has recorded some of its files otherwise")

	// ErrPaused: the transfer is paused. Its batches come back when it goes on.
	ErrPaused = errors.New("transfer is paused")

	// ErrAlreadySealed: the transfer takes no more files.
	ErrSealed = errors.New("transfer is sealed")

	// ErrProducerConflict: another producer registers files with the same transfer.
	ErrProducerConflict = errors.New("another producer adds files to this transfer")

	// ErrSchemaNewer: the database has migrations that this program does not know.
	ErrSchemaNewer = errors.New("database was migrated by a newer version")

	// ErrNotMigrated: the database lacks tables that this program needs.
	ErrNotMigrated = errors.New("database is not migrated")
)
