package store

import "errors"

// Sentinels that callers decide on.
var (
	// ErrSealed: the transfer takes no more files.
	ErrSealed = errors.New("transfer is sealed")

	// ErrProducerConflict: another producer registers files with the same transfer.
	ErrProducerConflict = errors.New("another producer adds files to this transfer")

	// ErrFilesLost: rows that were inserted are not there any more. Nothing was counted.
	ErrFilesLost = errors.New("rows of the table files have disappeared")
)
