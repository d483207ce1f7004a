package tasks

import (
	"cmp"
)

// ResultSelector selects results. The zero value selects all.
type ResultSelector struct {
	Step     int // 0: every step
	Outcomes []Outcome
	File     int64  // 0: every file
	Parent   int64  // 0: every file; otherwise only those that were emitted from this one
	Code     string // empty: every code
	Message  string // selects failures with this FailureMessage; empty: every result

	// Exactly selects failures whose code and message are these, also when they are empty.
	Exactly bool
}

// Empty reports whether f selects every result.
func (f *ResultSelector) Empty() bool {
	return f.Step == 0 && len(f.Outcomes) == 0 && f.File == 0 && f.Parent == 0 && f.Code == "" && f.Message == "" && !f.Exactly
}

// ResultKey is the position of a result in the order of Results: by step, then by
// file. The zero value is before the first.
type ResultKey struct {
	Step int
	File int64
}

// Compare orders keys as Results does.
func (k ResultKey) Compare(l ResultKey) int {
	return cmp.Or(cmp.Compare(k.Step, l.Step), cmp.Compare(k.File, l.File))
}

// ResultRow is a result with the path of its file.
type ResultRow struct {
	Result
	Path   string
	Parent int64  // number of the file from which this one was emitted; 0 for one from the sources
	Name   string // of this one within the parent
}

// Key returns the result's position in the order of Results.
func (l *ResultRow) Key() ResultKey { return ResultKey{Step: l.Step, File: l.File} }
