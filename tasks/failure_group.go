package tasks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

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

// ID names the group in its transfer: 8 digits that do not change while its files do.
func (g *FailureGroup) ID() string {
	h := sha256.New()
	for _, part := range []string{strconv.Itoa(g.Step), string(g.Outcome), g.Code, g.Message} {
		fmt.Fprintf(h, "%d:%s,", len(part), part) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// MaxCountedFailures is how many failures of each step, the first ones, are counted by kind.
// The time that it takes is bounded so, however many have failed.
const MaxCountedFailures = 100_000

// CountsAllFailures reports whether the failures of a step are few enough to be counted by
// kind; step 0: those of every step.
func (t *Transfer) CountsAllFailures(step int) bool {
	for i := range t.Steps {
		if s := &t.Steps[i]; (step == 0 || step == s.Number) && s.Failures() > MaxCountedFailures {
			return false
		}
	}
	return true
}
