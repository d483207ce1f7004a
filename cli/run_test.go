package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestRun(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.file("in/sub/b.txt", "beta")

	r := s.must(exitOK, "run", s.path("in"))
	equal(t, "report", s.stable(r.stdout), `Transfer ID completed
2 files, 9 B, in SECONDS

STEP      FILES  SUCCEEDED
identify      2          2
`)
	contains(t, "the last report of progress", r.stderr, "2 / 2 files, 100%\n")

	r = s.must(exitOK, "run", s.path("in"))
	equal(t, "second run", s.stable(r.stdout), "No changes since transfer ID finished at TIME (2 files).\n")
	equal(t, "second run's stderr", r.stderr, "")

	r = s.must(exitOK, "run", "--json", s.path("in"))
	if sum := r.summary(t); sum.Files != 2 || sum.State != tasks.StateCompleted {
		t.Errorf("summary of an unchanged tree: %+v", sum)
	}

	s.file("in/c.txt", "gamma")
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(s.file("in/a.txt", "alpha, changed"), later, later); err != nil {
		t.Fatal(err)
	}
	r = s.must(exitOK, "run", "--json", s.path("in"))
	contains(t, "no such file", s.must(exitError, "results", r.summary(t).Transfer, "--file", "9999").stderr, "has no file 9999; its files are numbered from 1 to ")
	r = s.must(exitOK, "results", "--json", r.summary(t).Transfer, "--step", "identify")
	equal(t, "the changed and the new file", paths(t, r), s.path("in/a.txt")+" "+s.path("in/c.txt"))
}

// paths are those of results in JSON, joined by spaces.
func paths(t *testing.T, r ran) string {
	t.Helper()
	var all []string
	for line := range strings.Lines(r.stdout) {
		var l tasks.ResultLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, l.Path)
	}
	return strings.Join(all, " ")
}

func TestRunWithFailures(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	var gone []string
	for name := range strings.FieldsSeq("1 2 3 4 5 6 7 8 9 A B") {
		gone = append(gone, s.path("gone"+name))
	}
	gone[0] = s.path("go\nne")
	r := s.must(exitFailures, append([]string{"run", "--missing-ok", "--recipe", "checksum", s.path("in")}, gone...)...)
	contains(t, "report", s.stable(r.stdout),
		"Transfer ID completed with failures\n12 files, 5 B, in SECONDS",
		"STEP      FILES  SUCCEEDED  FAILED\nchecksum     12          1      11\n",
		"\nfailed     checksum  \"DIR/go\\nne\"  not-found  no such file or directory\n",
		"… and 1 failure more. All of them: baler results ID --outcome failed,error,timed_out\n")
	if n := strings.Count(r.stdout, "not-found"); n != failuresShown {
		t.Errorf("%d failures shown, want %d:\n%s", n, failuresShown, r.stdout)
	}
	id := s.must(exitOK, "status", "--json").summary(t).Transfer
	if n := strings.Count(s.must(exitOK, "results", "--json", id, "--outcome", "failed,error", "--outcome", "timed_out").stdout, "\n"); n != 11 {
		t.Errorf("the hint's command lists %d failures, want 11", n)
	}
	s.must(exitOK, "status", id)
	s.must(exitFailures, "status", "--watch", id)
}

// A failure stays one until it is repaired or accepted.
func TestRunAgainWithFailures(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	again := func(code int, flags ...string) ran {
		t.Helper()
		return s.must(code, append([]string{"run", "--missing-ok", "--recipe", "checksum", s.path("in"), s.path("gone")}, flags...)...)
	}
	again(exitFailures)
	s.file("in/b.txt", "beta")
	contains(t, "second run", again(exitFailures).stdout, "not-found", "\nFiles: 1 added, 0 changed, 1 tried again, 0 gone, 1 unchanged\n")
	equal(t, "accepting", s.stable(again(exitOK, "--accept-failures").stdout),
		"No changes since transfer ID finished at TIME (3 files, of which 1 failed and accepted).\n")
	again(exitOK, "-q")
	s.file("in/c.txt", "gamma")
	contains(t, "later", again(exitOK, "--json").stdout, `"changes":{"added":1,"changed":0,"retried":0,"accepted":1,"reread":0,"gone":0,"unchanged":2}`)
	s.file("gone", "found")
	contains(t, "found", again(exitOK).stdout, "\nFiles: 0 added, 1 changed, 0 gone, 3 unchanged\n")
}

// A digest that is taken over from an earlier transfer shows no damage.
func TestRereadReusesNothing(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	a := s.file("in/a.txt", "alpha")
	mine := s.file("mine.yaml", "name: mine\nsteps:\n  - handler: checksum\n    reuse: unchanged\n")
	s.must(exitOK, "run", "--recipe", mine, s.path("in"))
	info, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(s.file("in/a.txt", "ALPHA"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	r := s.must(exitFailures, "run", "--reread", "--recipe", mine, s.path("in"))
	contains(t, "notes", s.stable(r.stderr), "damaged: DIR/in/a.txt: its content has changed", "1 file is damaged. ")
}

func TestRunFindsWhatIsDamagedOrGone(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	a := s.file("in/a.txt", "alpha")
	s.file("in/b.txt", "beta")
	s.must(exitOK, "run", s.path("in"))
	info, err := os.Stat(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(s.file("in/a.txt", "ALPHA"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	s.must(exitOK, "run", s.path("in"))
	r := s.must(exitFailures, "run", "--reread", s.path("in"))
	contains(t, "reread", r.stdout, "\nFiles: 0 added, 0 changed, 2 read again, 0 gone, 0 unchanged\n")
	contains(t, "notes", s.stable(r.stderr), "damaged: DIR/in/a.txt: its content has changed", "1 file is damaged. ")
	contains(t, "JSON", s.must(exitFailures, "run", "--json", s.path("in")).stdout, `"unchanged":1},"damaged":1}`)
	if err := os.Remove(a); err != nil {
		t.Fatal(err)
	}
	contains(t, "gone", s.stable(s.must(exitOK, "run", s.path("in")).stdout),
		"No file was added or changed since transfer ID finished at TIME (1 file); 1 file is gone.\n")
	if err := os.Remove(s.path("in/b.txt")); err != nil {
		t.Fatal(err)
	}
	equal(t, "empty", s.stable(s.must(exitError, "run", s.path("in")).stderr), "error: run: a source is empty or away: DIR/in: it holds no file, "+
		"but earlier runs found files there; make it available, or run with --allow-empty if they are meant to be gone\n")
	contains(t, "intended", s.must(exitOK, "run", "--allow-empty", s.path("in")).stdout, "; 1 file is gone.\n")
	s.must(exitOK, "run", s.path("in"))
}

func TestRunQuietly(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	if err := os.Symlink("nowhere", s.path("in/link")); err != nil {
		t.Fatal(err)
	}
	r := s.must(exitOK, "run", "-q", s.path("in"))
	equal(t, "output", r.stdout+r.stderr, "")
	if sum := s.must(exitOK, "run", "-q", "--json", s.path("in")).summary(t); sum.Files != 1 {
		t.Errorf("summary: %+v", sum)
	}
}

func TestRunReportsSkippedFiles(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	for name := range strings.FieldsSeq("1 2 3 4 5 6 7 8 9 A B C") {
		if err := os.Symlink("nowhere", s.path("in/link"+name)); err != nil {
			t.Fatal(err)
		}
	}
	r := s.must(exitOK, "run", "--json", s.path("in"))
	contains(t, "stderr", s.stable(r.said()), "note: DIR/in/link1: symlink not followed (broken: \"nowhere\")\n", "note: … and 2 more\n")
	if n := strings.Count(r.stderr, "symlink"); n != skippedShown {
		t.Errorf("%d notes, want %d", n, skippedShown)
	}
	if n := strings.Count(r.stdout, "\n"); n != 1 {
		t.Errorf("%d lines of JSON, want 1:\n%s", n, r.stdout)
	}
}

func TestRunOfNothing(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	if err := os.Mkdir(s.path("empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	equal(t, "report", s.stable(s.must(exitOK, "run", s.path("empty")).stdout), "Transfer ID completed\n0 files, 0 B, in SECONDS\n")
}

func TestRunWithABadRecipe(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	bad := s.file("bad.yaml", "name: bad\nsteps:\n  - handler: chcksum\n  - handler: nope\n")
	r := s.must(exitError, "run", "--recipe", bad, s.dir)
	equal(t, "stderr", s.stable(r.stderr), `error: DIR/bad.yaml:3: step chcksum: no handler is called "chcksum"; did you mean "checksum"?
error: DIR/bad.yaml:4: step nope: no handler is called "nope"; register it with the worker, or correct the name
`)
	r = s.must(exitError, "run", "--recipe", "checksun", s.dir)
	equal(t, "stderr", r.stderr, "error: no recipe is called \"checksun\"; did you mean \"checksum\"?\n")
}
