package ledger

import "github.com/balerhq/baler/tasks"

// Totals are what all transfers of a system add up to.
type Totals struct {
	Transfers  map[tasks.State]int64 // how many are in each state; a state without any may be absent
	Registered int64                 // files of unfinished transfers
	Finished   int64                 // of these, those that have passed their last step
}
