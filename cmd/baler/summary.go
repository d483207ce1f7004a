package main

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// summary is a transfer in JSON: the words of all of Baler, and what only a
// transfer has that somebody paused.
type summary struct {
	tasks.Summary
	PausedAt time.Time `json:"paused_at,omitzero"`
	Trouble  string    `json:"trouble,omitempty"` // why Baler has paused it: see tasks.Transfer
}

// summarize writes a transfer as it stands.
func (p *program) summarize(t *tasks.Transfer) error {
	s := summary{Summary: tasks.Summarize(t, time.Now()), Trouble: t.Trouble}
	if paused(t) {
		s.PausedAt = t.PausedAt
	}
	return p.object(s)
}

// paused reports whether a person keeps a transfer from going on.
func paused(t *tasks.Transfer) bool { return !t.PausedAt.IsZero() && !t.State.Ended() }
