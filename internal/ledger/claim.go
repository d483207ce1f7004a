package ledger

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// Claim is a batch as a worker claims it.
type Claim struct {
	tasks.Batch

	Redelivered bool // it may have run before; FencingToken is new
	Canceled    bool // its transfer is canceled: run none of its files

	// HeldBy is the worker that said last that it runs the batch, until HeldUntil. Empty
	// when none has.
	HeldBy    string
	HeldUntil time.Time
}
