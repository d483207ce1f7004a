package ledger

import "errors"

// Errors of the worker that holds a batch.
var (
	// ErrLeaseLost: the batch was closed, or taken over under a later fencing
	// token. Nothing was recorded; the worker that took it over records it.
	ErrLeaseLost = errors.New("batch was taken over or is closed")

	// ErrResultExists: the batch has recorded some of the files under an earlier
	// fencing token with other outcomes. Nothing of the completion was recorded.
	// When the batch is claimed again, the files with a result are left out; the
	// others run again, also those that this completion held results of.
	ErrResultExists = errors.New("the batch has recorded other outcomes for some of its files before")

	// ErrTaken: another worker has the batch and is alive. Ask again later.
	ErrTaken = errors.New("another worker has the batch")

	// ErrPaused: the transfer is paused. Its batches are delivered again when it is resumed.
	ErrPaused = errors.New("transfer is paused")
)
