package cli

import (
	"time"

	"github.com/balerhq/baler/tasks"
)

// summary is a transfer in JSON: the words of all of Baler, its number, and what only
// a transfer has that somebody paused.
type summary struct {
	tasks.Summary
	Number   int64     `json:"number"` // short, and unique in this database; commands take it
	PausedAt time.Time `json:"paused_at,omitzero"`
}

// summarize writes a transfer as it stands.
func (p *program) summarize(t *tasks.Transfer) error {
	s := summary{Summary: tasks.Summarize(t, time.Now()), Number: t.ID}
	if paused(t) {
		s.PausedAt = t.PausedAt
	}
	return p.object(s)
}

// paused reports whether a person keeps a transfer from going on.
func paused(t *tasks.Transfer) bool { return !t.PausedAt.IsZero() && !t.State.Ended() }
