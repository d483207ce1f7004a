package ledger

import (
	"errors"
	"fmt"

	"github.com/balerhq/baler/tasks"
)

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

	// ErrClaimed: another worker has the batch and is alive. Ask again later.
	ErrClaimed = errors.New("another worker has the batch")

	// ErrPaused: the transfer is paused. Its batches are delivered again when it is resumed.
	ErrPaused = errors.New("transfer is paused")
)

// RecordedElsewhereError refuses to close a batch whose FollowUp was planned for other
// files than those that are left to it. Nothing of the completion was recorded. Plan what
// follows again without Files, and record again.
type RecordedElsewhereError struct {
	Files tasks.Ranges // all files of the batch whose results another batch recorded first
}

func (e *RecordedElsewhereError) Error() string {
	return fmt.Sprintf("another batch has recorded the results of files %v first", e.Files)
}
