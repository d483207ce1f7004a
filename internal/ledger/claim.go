package ledger

import "github.com/balerhq/baler/tasks"

// Claim is a batch as a worker claims it.
type Claim struct {
	tasks.Batch

	Redelivered bool // it may have run before; FencingToken is new
	Canceled    bool // its transfer is canceled: run none of its files
}
