package cli

import (
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Who watches a transfer that runs and gives no result learns for how long, in steps that do
// not fill a log.
func TestSilenceOfATransfer(t *testing.T) {
	begun := time.Now()
	var r reasons
	of := func(succeeded int64) *tasks.Transfer {
		return &tasks.Transfer{State: tasks.StateRunning, Files: 9, Steps: []tasks.StepProgress{{Counts: tasks.Counts{Succeeded: succeeded}}}}
	}
	for _, step := range []struct {
		at        time.Duration
		succeeded int64
		want      string
	}{
		{0, 0, ""}, {29 * time.Second, 0, ""},
		{31 * time.Second, 0, "results: none has come for 30s"}, {59 * time.Second, 0, "results: none has come for 30s"},
		{95 * time.Second, 0, "results: none has come for 1m30s"}, {96 * time.Second, 1, ""}, {120 * time.Second, 1, ""},
		{130 * time.Second, 1, "results: none has come for 30s"},
	} {
		tr := of(step.succeeded)
		r.noteSilence(tr, begun.Add(step.at))
		equal(t, step.at.String(), tr.WaitingFor, step.want)
	}
	known := of(1)
	known.WaitingFor = "a person to resume it"
	r.noteSilence(known, begun.Add(time.Hour))
	equal(t, "a known reason", known.WaitingFor, "a person to resume it")
}
