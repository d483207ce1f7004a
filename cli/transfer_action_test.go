package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

// steered is the object that cancel, pause and resume report.
func (r ran) steered(t *testing.T) summary {
	t.Helper()
	var s summary
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil {
		t.Fatalf("%v in %s", err, r.stdout)
	}
	return s
}

func TestPauseResumeAndCancel(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	id := strings.TrimSpace(s.must(exitOK, "submit", s.path("in")).stdout)
	refused := func(want string, args ...string) {
		t.Helper()
		r := s.must(exitError, args...)
		equal(t, strings.Join(args, " "), s.stable(r.stdout+r.said()), want)
	}
	refused("error: transfer ID is not paused: it is running\n", "resume", id)
	equal(t, "pause", s.stable(s.must(exitOK, "pause", id).stdout), "Transfer ID is paused. Resume it with 'baler resume ID'.\n")
	refused("error: transfer ID is already paused, since TIME\n", "pause", id)

	contains(t, "status", s.must(exitOK, "status").stdout, "  paused  ")
	contains(t, "status ID", s.stable(s.must(exitOK, "status", id).stdout),
		"Transfer ID paused\n", "paused   TIME\n", "\nIt is paused. Resume it with 'baler resume ID'.\n")
	if got := s.must(exitOK, "status", "--json", id).steered(t); got.PausedAt.IsZero() || got.State != tasks.StateRunning {
		t.Errorf("status --json of a paused transfer: %+v", got)
	}

	if got := s.must(exitOK, "resume", "--json", id).steered(t); !got.PausedAt.IsZero() || got.State != tasks.StateRunning {
		t.Errorf("resume --json: %+v", got)
	}
	if got := s.must(exitOK, "pause", "--json", id).steered(t); got.PausedAt.IsZero() || got.Transfer != id {
		t.Errorf("pause --json: %+v", got)
	}
	equal(t, "resume", s.stable(s.must(exitOK, "resume", id).stdout), "Transfer ID resumed: 0 of 1 file are done.\n")
	s.must(exitOK, "pause", "latest")
	contains(t, "audit log", s.must(exitOK, "audit", "--json", "--limit", "1").stdout, `"target":"latest (`+id+`)"`)

	equal(t, "cancel", s.stable(s.must(exitOK, "cancel", id).stdout), "Transfer ID is canceled: 0 of 1 file were done.\n")
	const ended = "error: transfer ID has already ended: canceled at TIME\n"
	for _, command := range []string{"cancel", "pause", "resume"} {
		refused(ended, command, id)
		refused(ended, command, id, "--json")
	}
	contains(t, "status of what was paused when it was canceled", s.must(exitOK, "status").stdout, "  canceled  ")
	s.must(exitFailures, "status", "--watch", id)

	id = strings.TrimSpace(s.must(exitOK, "submit", s.path("in")).stdout)
	if got := s.must(exitOK, "cancel", "--json", id).steered(t); got.State != tasks.StateCanceled || got.Type != "summary" {
		t.Errorf("cancel --json: %+v", got)
	}
}

func TestRunOfWhatIsPaused(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	id := s.must(exitOK, "run", "--json", s.path("in")).summary(t).Transfer
	s.must(exitOK, "retry", id, "--outcome", "succeeded")
	s.must(exitOK, "pause", id)
	r := s.must(exitError, "run", s.path("in"))
	equal(t, "stderr", s.stable(r.said()), "error: run: the transfer is paused: resume it first with 'baler resume ID'\n")
	s.must(exitOK, "resume", id)
	s.must(exitOK, "run", s.path("in"))
}
