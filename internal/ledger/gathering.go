package ledger

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// Gathering is the batches of one transfer, step and attempt that wait in the ledger
// to be gathered into fuller ones.
type Gathering struct {
	Transfer int64
	Step     int
	Attempt  int
	State    tasks.State

	Batches int   // that may run now
	Items   int   // their files
	Bytes   int64 // of these files
	Sent    int   // batches of the step that are in the queue or run

	Since time.Time // when the first of them was ready to run

	// Complete says that no other batch can join them any more: the transfer is
	// sealed and all its files are past the earlier steps and attempts.
	Complete bool
}

// Gathered replaces gathering batches by others that have the same files.
type Gathered struct {
	Replaced []int64       // IDs
	Batches  []tasks.Batch // their IDs are set when it is committed
}
