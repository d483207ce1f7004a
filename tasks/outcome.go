package tasks

import (
	"fmt"
	"slices"
)

// Outcome is a job's verdict. The zero value means that there is none yet.
type Outcome string

// The whole enumeration. Each is final but Error and OutcomeTimedOut, which are tried
// again while the step's retry policy has attempts left.
const (
	OutcomeSucceeded Outcome = "succeeded" // all well
	OutcomeWarning   Outcome = "warning"   // done, with something a person should know
	OutcomeSkipped   Outcome = "skipped"   // the handler found nothing to do
	OutcomeFailed    Outcome = "failed"    // the content is at fault: trying again would not help
	OutcomeError     Outcome = "error"     // the system is at fault: tried again
	OutcomeTimedOut  Outcome = "timed_out" // took longer than the step's timeout: tried again
	OutcomeCanceled  Outcome = "canceled"  // a person stopped it
)

// Outcomes lists every outcome, in the order in which reports show them.
func Outcomes() []Outcome {
	return []Outcome{OutcomeSucceeded, OutcomeWarning, OutcomeSkipped, OutcomeFailed, OutcomeError, OutcomeTimedOut, OutcomeCanceled}
}

// Valid reports whether o is one of the enumeration.
func (o Outcome) Valid() bool { return slices.Contains(Outcomes(), o) }

// IsFailure reports whether o counts as a failure in a step's totals and in exit codes.
func (o Outcome) IsFailure() bool {
	return o == OutcomeFailed || o == OutcomeError || o == OutcomeTimedOut
}

// StopsRecipe reports whether a file ends at a step that ended so.
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

// Add counts n more of o. An outcome outside the enumeration counts as Error,
// so that a sum never loses a file.
func (c *Counts) Add(o Outcome, n int64) { *c.field(o) += n }

// Get returns how many ended as o.
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
