package web

import (
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/tasks"
)

// status describes the state of a transfer for people.
type status struct {
	Words string
	Tone  string // the CSS class of its colour: idle, busy, good, bad or off
}

// statusOf distinguishes more than the state does: a transfer that waits from one
// in progress, and an end with failures from one without.
func statusOf(t *tasks.Transfer) status {
	results := t.Totals()
	if t.Trouble != "" {
		return status{"stopped by bad rows", "bad"}
	}
	if !t.PausedAt.IsZero() && !t.State.Ended() {
		return status{"paused", "idle"}
	}
	switch t.State {
	case tasks.StateCompleted:
		if results.Failures() > 0 || len(t.FailedFinalizers()) > 0 {
			return status{"completed with failures", "bad"}
		}
		return status{"completed", "good"}
	case tasks.StateFinalizing:
		s, _ := t.CurrentFinalizer() // there is none just before the transfer completes
		return status{strings.TrimSuffix("finalizing: "+s.Name, ": "), "busy"}
	case tasks.StateInterrupted:
		return status{"interrupted, waits for a person", "bad"}
	case tasks.StateCanceled:
		return status{"canceled", "off"}
	case tasks.StateOpen, tasks.StateRunning:
		return progressOf(t.State, results)
	}
	return status{string(t.State), "off"}
}

func progressOf(s tasks.State, results tasks.Counts) status {
	switch {
	case s == tasks.StateOpen:
		return status{"open, takes files", "busy"}
	case results.Total() == 0:
		return status{"waiting", "idle"}
	}
	return status{"running", "busy"}
}

// row is one transfer on the page.
type row struct {
	Transfer     string
	Name         string
	Status       status
	Files        string
	Finished     string
	Bytes        string
	Failed       string // empty when no file failed
	Done, Of     int64  // for the progress bar; Of 0 shows none
	Created      string // for people
	CreatedStamp string // for machines
}

func rowOf(t *tasks.Transfer) row {
	r := row{
		Transfer: t.UUID,
		Name:     visible(t.Name),
		Status:   statusOf(t),
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
	if bad := results.Failures(); bad > 0 {
		r.Failed = humanize.Comma(bad)
	}
	if at := t.CreatedAt.UTC(); !at.IsZero() {
		r.Created, r.CreatedStamp = at.Format("2 Jan 2006, 15:04"), at.Format("2006-01-02T15:04:05Z")
	}
	return r
}
