package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// Half of the files fail: the run ends, says why and how a person goes on, and that is so.
func TestRunStopsAfterFailures(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	for i := range 60 {
		s.file(fmt.Sprintf("in/%02d.txt", i), "alpha")
	}
	const steps = "steps:\n  - handler: exec\n    with: {command: [\"false\"]}\n    batch: {max_items: 5}\n"
	s.file("r.yaml", "name: r\nstop_after: 10%\n"+steps)
	run := []string{"run", "--concurrency", "1", "--recipe", s.path("r.yaml"), s.path("in")}
	r := s.must(exitFailures, run...)
	id := s.must(exitOK, "status", "--json").summary(t).Transfer
	contains(t, "stderr", r.said()+r.stdout, "It is stopped: 15 of 15 results of step exec are failures, and it stops after 10%.",
		"Run these files again with 'baler retry 1'", "go on with 'baler resume 1'")
	contains(t, "list", s.must(exitOK, "status").stdout, "  stopped by failures  ")
	contains(t, "status", s.must(exitOK, "status", "1").stdout, "Waiting for: a person to look at its failures and resume it: 15 of 15",
		"stops    after 10% of failures\n", "\nIt is stopped: 15 of 15")
	contains(t, "JSON", s.must(exitOK, "status", "1", "--json").stdout, `"state":"running"`, `"stop_after":"10%","stopped":"15 of 15 results`)
	contains(t, "run again", s.must(exitError, run...).stderr, "the transfer is paused: resume it first with 'baler resume "+id+"'")
	s.must(exitOK, "resume", "1")
	const hook = "https://hooks.example.org/hook?token=hush"
	other := s.must(exitError, append([]string{"run", "--webhook", hook}, run[1:]...)...).stderr
	contains(t, "another webhook", other, "the transfer that goes on has other webhooks: it has 0 of the 1 of this run", "'baler cancel "+id+"'")
	if strings.Contains(other, "hush") {
		t.Errorf("the error shows the webhook: %s", other)
	}
	contains(t, "run on", s.must(exitFailures, append([]string{"run", "--stop-after", "20"}, run[1:]...)...).said(), "It is stopped: 20 results are failures")
	contains(t, "another limit", s.must(exitOK, "status", "1").stdout, "stops    after 20 failures\n")
	contains(t, "audit", s.must(exitOK, "audit", "--json").stdout, `"who":"Baler","from":"","action":"stop a transfer","target":"`+id+`"`)

	s.must(exitFailures, "run", "--quiet", "--recipe", s.path("r.yaml"), "--stop-after", "none", "--exclude", "00.txt", s.path("in"))
	contains(t, "without a limit", s.must(exitOK, "status", "latest").stdout, "completed with failures")
	contains(t, "wrong", s.must(exitUsage, "run", "--stop-after", "100%", s.path("in")).stderr, `"100%" is not above 0% and below 100%`)
	contains(t, "same key", s.must(exitOK, "submit", "--key", "k", s.path("in")).stdout, "")
	contains(t, "another limit", s.must(exitError, "submit", "--key", "k", "--stop-after", "7", s.path("in")).stderr, "has stop after none, not 7")
	_, _, stop := s.start("worker", "--concurrency", "1", "--roots", s.dir)
	contains(t, "waiting", s.must(exitFailures, "submit", "--wait", "--recipe", s.path("r.yaml"), s.path("in")).said(), "It is stopped: 15 of 15")
	stop()
	s.must(exitOK, "schedule", "add", "daily", "--cron", "@daily", "--stop-after", "2.5%", s.path("in"))
	contains(t, "schedule", s.must(exitOK, "schedule", "--json").stdout, `"stop_after":"2.5%"`)
}

// A deadline ends a transfer: the last lines of run, submit --wait and status say so, and what
// they say goes on with it does.
func TestRunSaysThatTheDeadlineHasEndedIt(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	for i := range 6 {
		s.file(fmt.Sprintf("in/%d.txt", i), "alpha")
	}
	s.env = append(s.env, "BALER_WORKER_ALLOW_COMMANDS=true")
	hang := s.path("hang")
	s.file("hang", "")
	s.file("r.yaml", "name: r\nsteps:\n  - {handler: exec, with: {command: [sh, -c, 'while test -e "+hang+"; do sleep 0.05; done']}, batch: {max_items: 1}}\n")
	run := []string{"run", "--concurrency", "1", "--recipe", s.path("r.yaml"), s.path("in")}
	r := s.must(exitFailures, append(run, "--deadline", "1s")...)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	contains(t, "the last lines", strings.Join(lines[max(0, len(lines)-3):], "\n"), "Its deadline, ", ", has canceled it before the end of 6 of 6 files.",
		"Go on without a deadline with 'baler retry 1', and then run this command again.",
		"Without the retry, the command processes all 6 files again, also those that have succeeded.")
	contains(t, "status", s.must(exitOK, "status", "1").stdout, "has canceled it before the end of 6 of 6 files.", "with 'baler retry 1'.\n")
	contains(t, "JSON", s.must(exitOK, "status", "1", "--json").stdout, `"deadline_exceeded":true`)

	_, _, stop := s.start("worker", "--concurrency", "1", "--roots", s.dir)
	contains(t, "submit", s.must(exitFailures, "submit", "--wait", "--deadline", "1s", "--recipe", s.path("r.yaml"), s.path("in")).said(),
		"has canceled it before the end of 6 of 6 files.", "with 'baler retry 2'.")
	stop()
	testkit.Must(t, os.Remove(hang))
	s.must(exitOK, "retry", "1")
	contains(t, "after it", s.must(exitOK, run...).stdout, "Transfer 1 completed")
	if out := s.must(exitOK, "status", "1").stdout; strings.Contains(out, "has canceled it") {
		t.Errorf("a transfer that has gone on: %s", out)
	}
}
