package cli

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// hide takes a file away, and gives what brings it back as it was.
func (s *testEnv) hide(name string) (back func()) {
	s.t.Helper()
	rename := func(from, to string) {
		if err := os.Rename(s.path(from), s.path(to)); err != nil {
			s.t.Fatal(err)
		}
	}
	rename(name, "hidden")
	return func() { rename("hidden", name) }
}

const embeddedNote = "note: no worker is running, and the queue is embedded: start 'baler worker', " +
	"or run 'baler run' with the same paths.\n"

func TestRetryWithRun(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("in/b.txt", "beta")
	two := s.twoSteps()
	id := s.must(exitOK, "run", "--json", "--recipe", two, s.path("in")).summary(t).Transfer

	r := s.must(exitOK, "retry", id)
	equal(t, "nothing failed", s.stable(r.stdout+r.stderr), "Nothing to retry in transfer ID: no such file failed.\n")
	r = s.must(exitOK, "retry", id, "--outcome", "warning,skipped", "--step", "identify")
	equal(t, "no such result", s.stable(r.stdout+r.stderr), "Nothing to retry in transfer ID: there is no such result.\n")
	equal(t, "JSON", s.stable(s.must(exitOK, "retry", id, "--json").stdout), `{"type":"retry","transfer":"ID","files":0}`+"\n")
	r = s.must(exitOK, "retry", id, "--json", "--wait")
	if sum := r.summary(t); sum.State != tasks.StateCompleted || strings.Count(r.stdout, "\n") != 2 {
		t.Errorf("retry --wait of nothing in JSON:\n%s", r.stdout)
	}
	r = s.must(exitError, "retry", id, "--step", "nope")
	equal(t, "unknown step", s.stable(r.stderr), "error: transfer ID has no step \"nope\"; it has checksum, identify\n")

	back := s.hide("in/b.txt")
	r = s.must(exitOK, "retry", id, "--step", "checksum", "--outcome", "succeeded")
	equal(t, "retry", s.stable(r.stdout), "Retrying 2 files of transfer ID.\n")
	equal(t, "note", r.stderr, embeddedNote)
	contains(t, "status", s.must(exitOK, "status").stdout, "  waiting  ")
	r = s.must(exitFailures, "run", "--recipe", two, s.path("in"))
	contains(t, "run", r.stdout, "Transfer "+s.number(id)+" completed with failures\n2 files, ", "failed     checksum  "+s.path("in/b.txt")+"  not-found")

	back()
	r = s.must(exitOK, "retry", id, "--json")
	equal(t, "retry of the failed one", s.stable(r.stdout), `{"type":"retry","transfer":"ID","files":1}`+"\n")
	sum := s.must(exitOK, "run", "--json", "--recipe", two, s.path("in")).summary(t)
	if sum.Transfer != id || sum.State != tasks.StateCompleted || sum.Results.Succeeded != 6 || sum.Files != 3 { // it was gone, and is new
		t.Errorf("run after the retry: %+v", sum)
	}
}

func TestRunFinishesEarlierTransfersThatAreRetried(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	first := s.must(exitOK, "run", "--json", s.path("in")).summary(t).Transfer
	s.file("in/b.txt", "beta")
	second := s.must(exitOK, "run", "--json", s.path("in")).summary(t).Transfer

	s.must(exitOK, "retry", first, "--outcome", "succeeded")
	sum := s.must(exitOK, "run", "--json", s.path("in")).summary(t)
	if sum.Transfer != first || sum.State != tasks.StateCompleted || sum.Results.Succeeded != 1 {
		t.Errorf("run with nothing but an earlier transfer to finish: %+v", sum)
	}

	back := s.hide("in/a.txt")
	s.must(exitOK, "retry", first, "--outcome", "succeeded")
	s.must(exitOK, "retry", second, "--outcome", "succeeded")
	r := s.must(exitFailures, "run", s.path("in"))
	contains(t, "report", r.stdout, "Transfer "+s.number(second)+" completed\n")
	contains(t, "note", r.stderr, "Transfer "+s.number(first)+", which had files to retry, is completed with failures.\n")

	back()
	contains(t, "back", s.must(exitOK, "run", s.path("in")).stdout, "Files: 1 added, 0 changed, 0 gone, 1 unchanged\n")
	contains(t, "unchanged", s.stable(s.must(exitOK, "run", s.path("in")).stdout), "No changes since transfer ID finished at TIME (2 files).\n")
}

func TestRetryWaits(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.services()
	s.file("in/a.txt", "alpha")
	s.file("in/b.txt", "beta")
	_, _, end := s.start("worker")
	id := s.must(exitOK, "submit", "--wait", "--json", "--recipe", s.twoSteps(), s.path("in")).summary(t).Transfer
	back := s.hide("in/b.txt")
	r := s.must(exitFailures, "retry", "--wait", id, "--outcome", "succeeded", "--step", "checksum")
	equal(t, "stdout", s.stable(r.stdout), "Retrying 2 files of transfer ID.\n")
	contains(t, "stderr", s.stable(r.stderr), "Transfer ID completed with failures\n", "not-found")
	back()
	r = s.must(exitOK, "retry", "--wait", "--json", id)
	contains(t, "first line", s.stable(r.stdout), `{"type":"retry","transfer":"ID","files":1}`+"\n")
	if sum := r.summary(t); sum.Results.Succeeded != 4 {
		t.Errorf("summary: %+v", sum)
	}
	if r := end(); r.code != exitOK {
		t.Errorf("worker ended with %d", r.code)
	}
	r = s.must(exitOK, "retry", id, "--outcome", "succeeded", "--file", "1")
	equal(t, "retry without workers", s.stable(r.stdout+r.stderr),
		"Retrying 1 file of transfer ID.\nnote: no worker is running: start one with 'baler worker'.\n")
	_, stderr, stop := s.start("retry", "--wait", id)
	testkit.Eventually(t, time.Minute, func() error { return lacks(stderr.String(), "start one with 'baler worker'. Waiting.\n") })
	if r := stop(); r.code != exitInterrupted {
		t.Errorf("waiting ended with %d, want %d:\n%s", r.code, exitInterrupted, r.stderr)
	}
}

// A file that the scan could not find may be there at the retry.
func TestRetryLooksAgain(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	late := s.path("in/late.txt")
	id := s.must(exitFailures, "run", "--json", "--recipe", "checksum", "--missing-ok", s.path("in/a.txt"), late).summary(t).Transfer
	contains(t, "results", s.must(exitOK, "results", id, "--outcome", "failed").stdout, "not-found")
	s.file("in/late.txt", "here by now")
	s.must(exitOK, "retry", id)
	sum := s.must(exitOK, "run", "--json", "--recipe", "checksum", "--missing-ok", s.path("in/a.txt"), late).summary(t)
	if sum.Transfer != id || sum.Results.Succeeded != 3 || sum.Results.Failed != 0 || sum.Bytes != 5+11+11 { // the run registers it as well
		t.Errorf("after the retry: %+v", sum)
	}
	contains(t, "the file of the retry", s.must(exitOK, "results", id, "--file", "2").stdout, "succeeded")
	r := s.must(exitOK, "run", "--recipe", "checksum", "--missing-ok", s.path("in/a.txt"), late)
	contains(t, "once more", r.stdout+r.stderr, "No changes")
}
