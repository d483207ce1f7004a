package ledger

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// FinalizeTask is a final step that is due, or one that a worker has claimed.
type FinalizeTask struct {
	Transfer     int64
	No           int
	Handler      string
	Event        string // UUIDv7, the same at every attempt of this run of the step
	Attempts     int    // begun, including the current one
	FencingToken int
}

// FinalizeQuery says which due final steps to list.
type FinalizeQuery struct {
	Handlers []string
	RunKey   string // of the transfers; empty for any
	Limit    int
}

// FinalizeOutcome is what became of an attempt at a final step.
type FinalizeOutcome struct {
	State  tasks.FinalizeState // done or failed; waiting for another attempt
	Reason string              // what went wrong, or what a person should know
	Again  time.Duration       // until the next attempt
}

// Collection is what the final steps of a transfer work over: the files that transfers
// with the run key have registered, or without one the files of the transfer alone.
type Collection struct {
	Transfer int64
	RunKey   string
}
