package tasks

import (
	"fmt"
	"unicode/utf8"
)

// Approval says whether a person has let the files of a step run. It is empty for a step that
// asks nobody.
type Approval string

// The states of an approval.
const (
	ApprovalWaiting  Approval = "waiting"  // no batch of the step starts
	ApprovalApproved Approval = "approved" // its files run
	ApprovalRejected Approval = "rejected" // the transfer was canceled
)

// Decision is what a person says about a step that waits for approval.
type Decision struct {
	Step    string // its name; empty: the first that waits
	Reject  bool   // cancels the transfer
	Who     string
	Comment string
}

// maxComment is how long a comment may be, in characters.
const maxComment = 1000

// Check reports why a decision cannot be kept.
func (d *Decision) Check() error {
	if n := utf8.RuneCountInString(d.Comment); n > maxComment || !utf8.ValidString(d.Comment) {
		return fmt.Errorf("a comment has %d characters of UTF-8 at most, not %d", maxComment, n)
	}
	return nil
}

// AwaitsApproval returns the first step that waits for approval and has files that wait for it.
// None does as long as other files of the transfer are still on their way.
func (t *Transfer) AwaitsApproval() (step StepProgress, ok bool) {
	for i := range t.Steps {
		s := &t.Steps[i]
		switch waits := s.Selected > s.Total(); {
		case waits && s.Approval != ApprovalWaiting:
			return StepProgress{}, false
		case waits && !ok:
			step, ok = *s, true
		}
	}
	// By group, files count at their step as soon as they are registered; the cursor comes later.
	return step, ok && (t.Via == ViaGroup || t.Cursor >= t.Files) && !t.State.Ended()
}
