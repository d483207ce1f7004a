package cli

import (
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/tasks"
)

// summary is a transfer in JSON, with additional fields for paused transfers and runs.
type summary struct {
	tasks.Summary
	Number   int64     `json:"number"` // short, and unique in this database; commands accept it
	PausedAt time.Time `json:"paused_at,omitzero"`
	Trouble  string    `json:"trouble,omitempty"` // why Baler has paused it: see tasks.Transfer

	RunningFiles []tasks.RunningFile `json:"running_files,omitempty"` // that take long, as far as it was asked for

	Changes *baler.RunChanges `json:"changes,omitempty"`
	Damaged int64             `json:"damaged,omitempty"` // files of all runs
	Fixity  *fixitySummary    `json:"fixity,omitempty"`
}

// summarize writes the current state of a transfer.
func (p *program) summarize(t *tasks.Transfer) error { return p.object(p.newSummary(t)) }

func (p *program) newSummary(t *tasks.Transfer) summary {
	s := summary{Summary: tasks.Summarize(t, p.now()), Number: t.ID, Trouble: t.Trouble}
	if paused(t) {
		s.PausedAt = t.PausedAt
	}
	return s
}

// paused reports whether a person paused a transfer.
func paused(t *tasks.Transfer) bool { return !t.PausedAt.IsZero() && !t.State.Ended() }
