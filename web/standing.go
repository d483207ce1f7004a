package web

import (
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/tasks"
)

// standing is how a transfer is doing, in a person's words.
type standing struct {
	Words string
	Tone  string // which colour it gets: idle, busy, good, bad or off
}

// standingOf tells apart what the bare state does not: waiting from being
// worked on, and a good end from one with failures.
func standingOf(t *tasks.Transfer) standing {
	results := t.Totals()
	if !t.PausedAt.IsZero() && !t.State.Ended() {
		return standing{"paused", "idle"}
	}
	switch t.State {
	case tasks.Completed:
		if results.Bad() > 0 || len(t.ClosingFailed()) > 0 {
			return standing{"completed with failures", "bad"}
		}
		return standing{"completed", "good"}
	case tasks.Closing:
		s, _ := t.ClosingNow() // none only in the moment before it completes
		return standing{strings.TrimSuffix("closing: "+s.Name, ": "), "busy"}
	case tasks.Interrupted:
		return standing{"interrupted, waits for a person", "bad"}
	case tasks.Dropped:
		return standing{"canceled", "off"}
	case tasks.Open, tasks.Running:
		return underway(t.State, results)
	}
	return standing{string(t.State), "off"}
}

func underway(s tasks.State, results tasks.Counts) standing {
	switch {
	case s == tasks.Open:
		return standing{"open, takes files", "busy"}
	case results.Total() == 0:
		return standing{"waiting", "idle"}
	}
	return standing{"running", "busy"}
}

// row is one transfer on the page.
type row struct {
	Transfer     string
	Name         string
	Standing     standing
	Files        string
	Finished     string
	Bytes        string
	Failed       string // empty when none did
	Done, Of     int64  // for the progress bar; Of 0 shows none
	Created      string // for people
	CreatedStamp string // for machines
}

func rowOf(t *tasks.Transfer) row {
	r := row{
		Transfer: t.UUID,
		Name:     t.Name,
		Standing: standingOf(t),
		Files:    humanize.Comma(t.Files),
		Finished: humanize.Comma(t.Finished),
		Bytes:    humanize.IBytes(uint64(max(0, t.Bytes))),
		Done:     t.Finished,
		Of:       t.Files,
	}
	if r.Name == "" {
		r.Name = "unnamed"
	}
	results := t.Totals()
	if bad := results.Bad(); bad > 0 {
		r.Failed = humanize.Comma(bad)
	}
	if at := t.CreatedAt.UTC(); !at.IsZero() {
		r.Created, r.CreatedStamp = at.Format("2 Jan 2006, 15:04"), at.Format("2006-01-02T15:04:05Z")
	}
	return r
}
