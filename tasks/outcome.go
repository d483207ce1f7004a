package tasks

import (
	"fmt"
	"slices"
)

// Outcome is a job's verdict. The zero value means that there is none yet.
type Outcome string

// The whole enumeration. Each is final but Error and TimedOut, which are tried
// again while the step's retry policy has attempts left.
const (
	Succeeded Outcome = "succeeded" // all well
	Warning   Outcome = "warning"   // done, with something a person should know
	Skipped   Outcome = "skipped"   // the handler found nothing to do
	Failed    Outcome = "failed"    // the content is at fault: trying again would not help
	Error     Outcome = "error"     // the system is at fault: tried again
	TimedOut  Outcome = "timed_out" // took longer than the step's timeout: tried again
	Canceled  Outcome = "canceled"  // a person stopped it
)

// Outcomes lists every outcome, in the order in which reports show them.
func Outcomes() []Outcome {
	return []Outcome{Succeeded, Warning, Skipped, Failed, Error, TimedOut, Canceled}
}

// Valid reports whether o is one of the enumeration.
func (o Outcome) Valid() bool { return slices.Contains(Outcomes(), o) }

// Bad reports whether o counts as a failure in a step's totals and in exit codes.
func (o Outcome) Bad() bool { return o == Failed || o == Error || o == TimedOut }

// Stops reports whether a file ends at a step that ended so.
func (o Outcome) Stops() bool { return o.Bad() || o == Canceled }

// Retriable reports whether another attempt may end differently.
func (o Outcome) Retriable() bool { return o == Error || o == TimedOut }

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

// Of returns how many ended as o.
func (c *Counts) Of(o Outcome) int64 { return *c.field(o) }

// Plus adds every count of d.
func (c *Counts) Plus(d Counts) {
	for _, o := range Outcomes() {
		c.Add(o, d.Of(o))
	}
}

// Total is the sum over all outcomes.
func (c Counts) Total() int64 {
	var n int64
	for _, o := range Outcomes() {
		n += c.Of(o)
	}
	return n
}

// Bad is the sum over the outcomes that count as failures.
func (c Counts) Bad() int64 { return c.Failed + c.Error + c.TimedOut }

func (c *Counts) field(o Outcome) *int64 {
	switch o {
	case Succeeded:
		return &c.Succeeded
	case Warning:
		return &c.Warning
	case Skipped:
		return &c.Skipped
	case Failed:
		return &c.Failed
	case TimedOut:
		return &c.TimedOut
	case Canceled:
		return &c.Canceled
	default:
		return &c.Error
	}
}
