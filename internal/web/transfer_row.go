package web

import (
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/ledger"
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
	if t.Stopped != "" {
		return status{"stopped by failures", "bad"}
	}
	if !t.PausedAt.IsZero() && !t.State.Ended() {
		return status{"paused", "idle"}
	}
	if _, waits := t.AwaitsApproval(); waits {
		return status{"waits for approval", "warn"} // nothing is wrong
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
		return progressOf(t)
	}
	return status{string(t.State), "off"}
}

func progressOf(t *tasks.Transfer) status {
	switch {
	case t.State == tasks.StateOpen:
		return status{"open, takes files", "busy"}
	case t.WaitingFor != "":
		return status{"waiting", "idle"} // no worker runs it
	}
	return status{"running", "busy"}
}

// unnamedTransfer is the name of a transfer that cannot be read.
const unnamedTransfer = "Transfer"

// row is one transfer on the page.
type row struct {
	Transfer string
	Name     string
	Status   status
	Waiting  string
	Files    string
	Finished string
	Bytes    string
	Failed   string // empty when no file failed
	Of       int64  // 0: there is no progress to show
	Progress bar
	Rate     string // files a second; empty before any has finished
	Left     string // time left; empty when it is unknown
	Spark    spark
	Created  moment
}

// rowOf describes a transfer. activity is what it recorded lately.
func rowOf(t *tasks.Transfer, activity []ledger.Activity, now time.Time) row {
	r := row{
		Transfer: t.UUID,
		Name:     visible(t.Name),
		Status:   statusOf(t),
		Waiting:  visible(t.WaitingFor),
		Files:    humanize.Comma(t.Files),
		Finished: humanize.Comma(t.Finished),
		Bytes:    humanize.IBytes(uint64(max(0, t.Bytes))),
		Of:       t.Files,
		Progress: progressOfFiles(t),
		Spark:    sparkOf(activity, now),
		Created:  momentOf(t.CreatedAt, now),
	}
	if r.Name == "" {
		r.Name = "unnamed"
	}
	results := t.Totals()
	if bad := results.Failures(); bad > 0 {
		r.Failed = humanize.Comma(bad)
	}
	summary := tasks.Summarize(t, now)
	speed := summary.FilesPerSecond
	if !t.State.Ended() {
		if lately := speedOf(activity, now, t.CreatedAt); lately > 0 {
			speed = lately
		}
	}
	if speed > 0 {
		r.Rate = humanize.CommafWithDigits(speed, rateDigits(speed))
		if left := t.Files - t.Finished; t.State == tasks.StateRunning && left > 0 && t.PausedAt.IsZero() {
			r.Left = forPeople(time.Duration(float64(left) / speed * float64(time.Second)))
		}
	}
	return r
}

func rateDigits(speed float64) int {
	if speed >= 100 {
		return 0
	}
	return 1
}
