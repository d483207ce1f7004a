package ledger

import "github.com/balerhq/baler/tasks"

// SeenFile says what the collection of a run knows of a file that the run finds.
type SeenFile struct {
	Status SeenStatus
	At     tasks.FileKey // where it is registered; zero when it is not
}

// SeenStatus is how a file compares with its collection.
type SeenStatus int

// The ways in which a file compares with its collection.
const (
	Unchanged  SeenStatus = iota // registered with this size and modification time
	Added                        // not registered
	Changed                      // registered with another size or modification time
	Unfinished                   // registered as it is, by a transfer that was canceled
	Failed                       // registered as it is, and its result is a failure, or its content is damaged
	Accepted                     // the same, and a person has accepted it
)

// News is what a fixity run has found of a file of its collection and not reported yet.
type News int

// The kinds of reports.
const (
	NewsNone News = iota
	NewsAdded
	NewsChanged // another size or modification time, or other content that a person accepts
)

// RereadFile is a file that a run has read again although nothing seemed to have changed.
type RereadFile struct {
	No  int64         // in the transfer that read it again
	Was tasks.FileKey // where its former results are; zero when there are none to compare with

	News News
}
