package ledger

import "github.com/balerhq/baler/tasks"

// Claim is a batch as a worker takes it up.
type Claim struct {
	tasks.Batch

	Redelivered bool // it may have run before: its Delivery is this worker's own
	Canceled    bool // its transfer is canceled: nothing of it is to be run
}
