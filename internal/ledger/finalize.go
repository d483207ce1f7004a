package ledger

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// FinalizeTask is a final step that is due, or one that somebody has taken.
type FinalizeTask struct {
	Transfer     int64
	No           int
	Handler      string
	Event        string // UUIDv7, the same at every try of this run of the step
	Attempts     int    // begun, the one in hand included
	FencingToken int    // the fencing token
}

// FinalizeQuery says which due final steps to list.
type FinalizeQuery struct {
	Handlers []string
	RunKey   string // of the transfers; empty for any
	Limit    int
}

// FinalizeOutcome is what became of a try of a final step.
type FinalizeOutcome struct {
	State  tasks.FinalizeState // done or failed; waiting for another try
	Reason string              // what went wrong, or what a person should know
	Again  time.Duration       // until the next try
}
