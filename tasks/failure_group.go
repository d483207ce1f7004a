package tasks

import "time"

// FailureGroup counts failures of one kind: results with the same step, outcome, code and
// message.
type FailureGroup struct {
	Step    int // its number
	Outcome Outcome
	Code    string
	Message string // the first line of the error, with … for what differs from file to file
	Files   int64
	Example int64  // number of the first of the files
	Path    string // its path

	First, Last time.Time // when the first and the last of the results ended, in UTC
}
