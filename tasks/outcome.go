package tasks

import (
	"fmt"
	"slices"
)

// Outcome is a job's verdict. The zero value means that the job has none yet.
type Outcome string

// The outcomes. All are final except OutcomeError and OutcomeTimedOut, which are
// retried while the step's retry policy has attempts left.
const (
	OutcomeSucceeded Outcome = "succeeded" // done
	OutcomeWarning   Outcome = "warning"   // done, with a warning
	OutcomeSkipped   Outcome = "skipped"   // the handler found nothing to do
	OutcomeFailed    Outcome = "failed"    // the content is at fault: not retried
	OutcomeError     Outcome = "error"     // the system is at fault: retried
	OutcomeTimedOut  Outcome = "timed_out" // took longer than the step's timeout: retried
	OutcomeCanceled  Outcome = "canceled"  // the transfer was canceled
)

// Outcomes lists every outcome, in the order in which reports show them.
func Outcomes() []Outcome {
	return []Outcome{OutcomeSucceeded, OutcomeWarning, OutcomeSkipped, OutcomeFailed, OutcomeError, OutcomeTimedOut, OutcomeCanceled}
}

// Valid reports whether o is one of Outcomes.
func (o Outcome) Valid() bool { return slices.Contains(Outcomes(), o) }

// IsFailure reports whether o counts as a failure in a step's totals and in exit codes.
func (o Outcome) IsFailure() bool {
	return o == OutcomeFailed || o == OutcomeError || o == OutcomeTimedOut
}

// StopsRecipe reports whether a file with this outcome skips the steps after it.
func (o Outcome) StopsRecipe() bool { return o.IsFailure() || o == OutcomeCanceled }

// Retriable reports whether another attempt may end differently.
func (o Outcome) Retriable() bool { return o == OutcomeError || o == OutcomeTimedOut }

// ParseOutcome reads an outcome as people type it.
func ParseOutcome(s string) (Outcome, error) {
	if o := Outcome(s); o.Valid() {
		return o, nil
	}
	return "", fmt.Errorf("unknown outcome %q: one of %v", s, Outcomes())
}

// Counts is a number of files for each outcome. The zero value counts nothing.
type Counts struct {
	Succeeded int64 `json:"succeeded"`
	Warning   int64 `json:"warning"`
	Skipped   int64 `json:"skipped"`
	Failed    int64 `json:"failed"`
	Error     int64 `json:"error"`
	TimedOut  int64 `json:"timed_out"`
	Canceled  int64 `json:"canceled"`
}

// Add counts n more of o. An unknown outcome counts as OutcomeError, so that a
// sum never loses a file.
func (c *Counts) Add(o Outcome, n int64) { *c.field(o) += n }

// Get returns the count of o.
func (c *Counts) Get(o Outcome) int64 { return *c.field(o) }

// Sum adds every count of d.
func (c *Counts) Sum(d Counts) {
	for _, o := range Outcomes() {
		c.Add(o, d.Get(o))
	}
}

// Total is the sum over all outcomes.
func (c Counts) Total() int64 {
	var n int64
	for _, o := range Outcomes() {
		n += c.Get(o)
	}
	return n
}

// Failures is the sum over the outcomes that count as failures.
func (c Counts) Failures() int64 { return c.Failed + c.Error + c.TimedOut }

func (c *Counts) field(o Outcome) *int64 {
	switch o {
	case OutcomeSucceeded:
		return &c.Succeeded
	case OutcomeWarning:
		return &c.Warning
	case OutcomeSkipped:
		return &c.Skipped
	case OutcomeFailed:
		return &c.Failed
	case OutcomeTimedOut:
		return &c.TimedOut
	case OutcomeCanceled:
		return &c.Canceled
	default:
		return &c.Error
	}
}
