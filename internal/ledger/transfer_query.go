package ledger

import "github.com/balerhq/baler/tasks"

// TransferSort orders a list of transfers.
type TransferSort string

// The orders of a list of transfers.
const (
	SortNewest TransferSort = ""       // newest first
	SortOldest TransferSort = "oldest" // of those that are searched
	SortName   TransferSort = "name"
	SortFiles  TransferSort = "files"  // most files first
	SortBytes  TransferSort = "bytes"  // most bytes first
	SortFailed TransferSort = "failed" // most failures first
)

// TransferQuery selects transfers for a list. Without a condition and sorted by age it
// reaches all transfers; otherwise the newest SearchedTransfers of them.
type TransferQuery struct {
	States       []tasks.State // empty: all
	PausedOnly   bool
	WithFailures bool
	Text         string // part of the name, the beginning of the id, or the number
	Sort         TransferSort

	Before int64 // sorted newest first: those with a number below; 0 begins at the newest
	Offset int   // sorted otherwise: how many to leave out
	Limit  int
}

// SearchedTransfers is how many of the newest transfers a query with conditions looks at.
const SearchedTransfers = 10_000

// Everything reports whether the query has no conditions.
func (q *TransferQuery) Everything() bool {
	return len(q.States) == 0 && !q.PausedOnly && !q.WithFailures && q.Text == "" && q.Sort == SortNewest
}
