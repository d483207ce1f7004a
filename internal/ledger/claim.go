package ledger

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// ReleaseTime bounds how long a worker that stops may take to release one claim, of a batch
// or of a final step, or to record its end. After that the lease of the claim must end.
const ReleaseTime = 2 * time.Second

// Claim is a batch as a worker claims it.
type Claim struct {
	tasks.Batch

	Redelivered bool // it may have run before; FencingToken is new
	Canceled    bool // its transfer is canceled: run none of its files

	DeadlineExceeded bool // it is canceled because its deadline has passed

	SomeCanceled bool // files of its transfer were canceled, which may be among its own

	// HeldBy is the worker that said last that it runs the batch, until HeldUntil. Empty
	// when none has.
	HeldBy    string
	HeldUntil time.Time

	Gap Gap // explains why it waited
}

// CanceledTransfer is a transfer that was canceled.
type CanceledTransfer struct {
	ID               int64
	DeadlineExceeded bool // because its deadline has passed
}
