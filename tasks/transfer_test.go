package tasks_test

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestEnded(t *testing.T) {
	for state, want := range map[tasks.State]bool{
		tasks.StateOpen: false, tasks.StateRunning: false, tasks.StateInterrupted: false,
		tasks.StateCompleted: true, tasks.StateCanceled: true,
	} {
		if state.Ended() != want {
			t.Errorf("%s: ended %v", state, !want)
		}
	}
}

func TestParseVia(t *testing.T) {
	for text, want := range map[string]tasks.Via{
		"group": tasks.ViaGroup, "bulk": tasks.ViaBulk, "auto": tasks.ViaBulk, "": tasks.ViaBulk,
	} {
		if got, err := tasks.ParseVia(text, tasks.ViaBulk); err != nil || got != want {
			t.Errorf("%q reads as %q, %v", text, got, err)
		}
	}
	if got, err := tasks.ParseVia("post", tasks.ViaBulk); err == nil || got != "" || !strings.Contains(err.Error(), "group") {
		t.Errorf("post reads as %q; the error %v should list the ways", got, err)
	}
}
