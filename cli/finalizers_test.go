package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestFinalStepsOnTheCommandLine(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	blocked := s.file("blocked", "a file where a folder should be")
	recipe := s.file("mine.yaml", fmt.Sprintf(`name: mine
steps:
  - handler: checksum
finally:
  - name: sums
    handler: manifest
    with: {to: "%s/${transfer}.sha256"}
    retry: {attempts: 1}
  - handler: report
    with: {to: %q}
`, blocked, s.path("report.json")))
	contains(t, "validate", s.must(exitOK, "recipe", "validate", recipe).stdout, "mine is valid: 1 step, then once sums, report.\n")
	contains(t, "show", s.must(exitOK, "recipe", "show", "--json", recipe).stdout,
		`"finalizers":[{"step":"sums","handler":"manifest"},{"step":"report","handler":"report"}]`)

	r := s.must(exitFailures, "run", "--recipe", recipe, s.path("in"))
	id := strings.Fields(r.stdout)[1]
	contains(t, "run", r.stdout, "Transfer "+id+" completed with failures\n", "sums        failed         1  io: write", blocked,
		"report      done           1", "Failed: sums. Retry them without running any file: baler retry "+id+" --finalizers\n")
	r = s.must(exitFailures, "run", "--recipe", recipe, s.path("in"))
	contains(t, "again", s.stable(r.stdout), "No changes since transfer ID finished at TIME (1 file).\n\nTransfer ID ran final steps over all files.\n",
		"sums        failed         1  io: write", "Failed: sums.")
	if strings.Contains(r.stdout, "report") {
		t.Errorf("a step that had run ran again:\n%s", r.stdout)
	}
	contains(t, "list", s.must(exitOK, "status").stdout, "with failures")
	sum := s.must(exitFailures, "status", "--watch", "--json", id).summary(t)
	uuid := sum.Transfer
	if len(sum.Finalizers) != 2 || sum.Finalizers[0].State != tasks.FinalizeFailed || sum.Finalizers[0].Error == "" || sum.Finalizers[1].Step != "report" {
		t.Errorf("summary: %+v", sum.Finalizers)
	}

	contains(t, "usage", s.must(exitUsage, "retry", id, "--finalizers", "--file", "1").stderr, "--finalizers retries no files")
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	r = s.must(exitOK, "retry", "--finalizers", id)
	equal(t, "retry", s.stable(r.stdout+r.stderr), "Retrying 1 final step of transfer ID.\n"+embeddedNote)
	contains(t, "status", s.must(exitOK, "status", id).stdout, "Transfer "+id+" finalizing\n", "sums        waiting         0")
	sum = s.must(exitOK, "run", "--json", "--recipe", recipe, s.path("in")).summary(t)
	if sum.Transfer != uuid || sum.State != tasks.StateCompleted || sum.Finalizers[0].State != tasks.FinalizeDone || sum.Finalizers[1].Attempts != 1 {
		t.Errorf("summary: %+v", sum)
	}
	equal(t, "nothing left", s.stable(s.must(exitOK, "retry", "--finalizers", "--json", id).stdout), `{"type":"retry","transfer":"ID","finalizers":0}`+"\n")
	text, err := os.ReadFile(s.path("blocked/" + uuid + ".sha256"))
	if err != nil || !strings.HasSuffix(string(text), "  a.txt\n") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestProgressOfFinalSteps(t *testing.T) {
	t.Parallel()
	start := time.Now()
	var p progressRate
	p.see(read(transfer(tasks.StateRunning, 10, 10, 9), start))
	tr := transfer(tasks.StateFinalizing, 10, 10, 10)
	tr.Finalizers = []tasks.FinalizeStep{{Name: "sums", State: tasks.FinalizeDone}, {Name: "bag", State: tasks.FinalizeRunning}}
	p.see(read(tr, start.Add(time.Second)))
	equal(t, "line", p.line(), "10 / 10 files, 100%, finalizing: bag running")
	equal(t, "state", stateOf(tr), "finalizing")
	tr.PausedAt = start
	equal(t, "paused", stateOf(tr), "finalizing, paused")
	tr = transfer(tasks.StateCompleted, 10, 10, 10)
	tr.Finalizers = []tasks.FinalizeStep{{Name: "sums", State: tasks.FinalizeFailed}}
	equal(t, "failed", stateOf(tr), "completed with failures")
	if failed(tr) == nil {
		t.Error("exit code 0 although a final step failed")
	}
}
