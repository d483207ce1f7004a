package ledger

import "errors"

// Errors of whoever holds a batch.
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
)
