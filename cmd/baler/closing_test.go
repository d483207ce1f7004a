package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestClosingStepsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.file("in/a.txt", "alpha")
	blocked := s.file("blocked", "a file where a folder should be")
	recipe := s.file("mine.yaml", fmt.Sprintf(`name: mine
steps:
  - handler: checksum
closing:
  - name: sums
    handler: manifest
    with: {to: "%s/${transfer}.sha256"}
    retry: {attempts: 1}
  - handler: report
    with: {to: %q}
`, blocked, s.path("report.json")))
	contains(t, "validate", s.must(exitOK, "recipe", "validate", recipe).stdout, "mine is fine: 1 step, then once sums, report.\n")
	contains(t, "show", s.must(exitOK, "recipe", "show", "--json", recipe).stdout,
		`"closing":[{"step":"sums","handler":"manifest"},{"step":"report","handler":"report"}]`)

	r := s.must(exitFailures, "run", "--recipe", recipe, s.path("in"))
	id := strings.Fields(r.stdout)[1]
	contains(t, "run", r.stdout, "Transfer "+id+" completed with failures\n", "sums          failed      1  io: write "+blocked,
		"report        done        1", "Failed for good: sums. Run again without touching files: baler retry "+id+" --closing\n")
	contains(t, "again", s.must(exitFailures, "run", "--recipe", recipe, s.path("in")).stdout, "Nothing has changed", "Failed for good: sums.")
	contains(t, "list", s.must(exitOK, "status").stdout, "completed with failures")
	sum := s.must(exitFailures, "status", "--watch", "--json", id).summary(t)
	if len(sum.Closing) != 2 || sum.Closing[0].State != tasks.ClosingFailed || sum.Closing[0].Error == "" || sum.Closing[1].Step != "report" {
		t.Errorf("summary: %+v", sum.Closing)
	}

	contains(t, "usage", s.must(exitUsage, "retry", id, "--closing", "--file", "1").stderr, "--closing runs no file again")
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	r = s.must(exitOK, "retry", "--closing", id)
	equal(t, "retry", s.stable(r.stdout+r.stderr), "1 closing step of transfer ID to run again.\n"+embeddedNote)
	contains(t, "status", s.must(exitOK, "status", id).stdout, "Transfer "+id+" closing\n", "sums          waiting      0")
	sum = s.must(exitOK, "run", "--json", "--recipe", recipe, s.path("in")).summary(t)
	if sum.Transfer != id || sum.State != tasks.Completed || sum.Closing[0].State != tasks.ClosingDone || sum.Closing[1].Tries != 1 {
		t.Errorf("summary: %+v", sum)
	}
	equal(t, "nothing left", s.stable(s.must(exitOK, "retry", "--closing", "--json", id).stdout), `{"type":"retry","transfer":"ID","closing":0}`+"\n")
	text, err := os.ReadFile(s.path("blocked/" + id + ".sha256"))
	if err != nil || !strings.HasSuffix(string(text), "  "+s.path("in/a.txt")+"\n") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestProgressOfClosingSteps(t *testing.T) {
	t.Parallel()
	start := time.Now()
	var p pace
	p.see(read(transfer(tasks.Running, 10, 10, 9), start))
	tr := transfer(tasks.Closing, 10, 10, 10)
	tr.Closing = []tasks.ClosingStep{{Name: "sums", State: tasks.ClosingDone}, {Name: "bag", State: tasks.ClosingRunning}}
	p.see(read(tr, start.Add(time.Second)))
	equal(t, "line", p.line(), "10 / 10 files, 100%, closing: bag running")
	equal(t, "state", stateOf(tr), "closing")
	tr.PausedAt = start
	equal(t, "paused", stateOf(tr), "closing, paused")
	tr = transfer(tasks.Completed, 10, 10, 10)
	tr.Closing = []tasks.ClosingStep{{Name: "sums", State: tasks.ClosingFailed}}
	equal(t, "failed", stateOf(tr), "completed with failures")
	if failed(tr) == nil {
		t.Error("exit code 0 although a closing step failed")
	}
}
