package cli

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/internal/doctor"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	contains(t, "empty list", s.must(exitOK, "status").stdout, "There are no transfers yet")
	equal(t, "empty list in JSON", s.must(exitOK, "status", "--json").stdout, "")

	s.file("in/a.txt", "alpha")
	s.must(exitFailures, "run", "--missing-ok", s.path("in"), s.path("gone"), "--name", "a name that is far too long for one column")
	id := s.must(exitOK, "status", "--json").summary(t).Transfer
	s.must(exitOK, "submit", s.path("in"), "--name", "unstarted")

	lines := strings.Split(s.must(exitOK, "status").stdout, "\n")
	if len(lines) != 4 {
		t.Fatalf("status has %d lines, want a title and two transfers: %q", len(lines), lines)
	}
	for i, want := range [][]string{
		{"ID", "NAME", "STATE", "FILES", "DONE", "%", "FAILED", "AGE"},
		{"unstarted", "waiting", " 1 ", " 0 ", "0%"},
		{"…", "far too long for one column  with failures ", " 2 ", "100%", " 1 "},
	} {
		contains(t, "line", lines[i], want...)
	}
	if n := strings.Count(s.must(exitOK, "status", "--json", "--limit", "1").stdout, "\n"); n != 1 {
		t.Errorf("%d lines with --limit 1", n)
	}
	contains(t, "detail", s.stable(s.must(exitOK, "status", id).stdout),
		"Transfer ID completed with failures\n", "source   DIR/in\n         DIR/gone\n", "queue    default, by bulk\n", "ended    TIME\n",
		"failed     identify  DIR/gone  not-found")
	contains(t, "watch", s.must(exitFailures, "status", "-w", id).stdout, "completed with failures: 2 / 2 files, 100%, 1 failed\n")
	if sum := s.must(exitFailures, "status", "-w", id, "--json").summary(t); sum.Finished != 2 {
		t.Errorf("watch in JSON: %+v", sum)
	}
}

func TestUnknownTransfer(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	const id = "01978f3e-2d1c-7c4b-9a63-5f2f0a9be1c7"
	for _, args := range [][]string{
		{"status", id}, {"status", "--watch", id}, {"results", id}, {"status", "--json", id},
		{"retry", id}, {"cancel", id}, {"pause", id}, {"resume", id}, {"submit", "--resume", id},
	} {
		r := s.must(exitError, args...)
		equal(t, strings.Join(args, " "), r.stdout+r.said(), "error: no such transfer: "+args[len(args)-1]+"\n")
	}
}

func TestResults(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a<b>&.txt", "alpha")
	s.file("in/bad\xff", "beta")
	id := s.must(exitOK, "run", "--json", "--recipe", s.twoSteps(), s.path("in")).summary(t).Transfer

	contains(t, "all", s.stable(s.must(exitOK, "results", id, "--step", "checksum").stdout),
		"OUTCOME    PATH ", "  SHA256  ", "  SIZE\nsucceeded  DIR/in/a<b>&.txt ", "  8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8  5\n",
		"\nsucceeded  \"DIR/in/bad\\xff\" ")
	r := s.must(exitOK, "results", id, "--file", "1", "--step", "checksum", "--json")
	contains(t, "JSON", s.stable(r.stdout),
		`{"file":1,"path":"DIR/in/a<b>&.txt","step":"checksum","outcome":"succeeded","exit_code":0,"code":""`,
		`"facts":{"sha256":"8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8"`, `"attempt":1,"worker":"`)
	equal(t, "none", s.must(exitOK, "results", id, "--outcome", "failed").stdout, "")
	equal(t, "unknown step", s.stable(s.must(exitError, "results", id, "--step", "nope").stderr),
		"error: transfer ID has no step \"nope\"; it has checksum, identify\n")
}

func TestChangesAreToldOnceAndTheLastAlways(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []int64
		see := onChange(func() string { return "" }, func(t *tasks.Transfer) { told = append(told, t.Finished) })
		step := []tasks.StepProgress{{}}
		see(tasks.Transfer{State: tasks.StateRunning, Files: 9, Steps: step})
		see(tasks.Transfer{State: tasks.StateRunning, Files: 9, Steps: step})
		time.Sleep(changeEvery - time.Millisecond) // of the bubble
		see(tasks.Transfer{State: tasks.StateRunning, Files: 9, Finished: 5, Steps: step})
		time.Sleep(time.Millisecond)
		see(tasks.Transfer{State: tasks.StateRunning, Files: 9, Finished: 6, Steps: step})
		see(tasks.Transfer{State: tasks.StateCompleted, Files: 9, Finished: 9, Steps: step})
		if fmt.Sprint(told) != "[0 6 9]" {
			t.Errorf("told of %v, want [0 6 9]", told)
		}
	})
}

// Rows that are invalid stop their transfer alone; status and doctor say so, and what
// to do.
func TestTransferStoppedByBadRows(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.must(exitOK, "submit", s.path("in"))
	id := s.must(exitOK, "status", "--json").summary(t).Transfer
	db := testkit.Database(t, "sqlite:"+s.path(".local/state/baler/baler.db"))
	if _, err := db.ExecContext(t.Context(), "UPDATE transfers SET files = 9223372036854775807, dispatched = -5"); err != nil {
		t.Fatal(err)
	}
	s.file("other/b.txt", "beta")
	s.must(exitOK, "run", s.path("other"))

	const reason = "its row in transfers is invalid: files is 9223372036854775807, dispatched is -5, finished is 0"
	contains(t, "list", s.must(exitOK, "status").stdout, "stopped by bad rows")
	contains(t, "detail", s.must(exitOK, "status", id).stdout, "It is stopped: "+reason, "'baler resume "+id+"'")
	contains(t, "JSON", s.must(exitOK, "status", "--json", id).stdout, `"trouble":"`+reason+`"`)
	if f := checks(t, s.must(exitError, "doctor", "--json"))["transfers"]; f.Status != doctor.StatusError || !strings.Contains(f.Detail, id+" is stopped: "+reason) {
		t.Errorf("doctor says %+v", f)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE transfers SET files = 1, dispatched = 0 WHERE uuid = ?", id); err != nil {
		t.Fatal(err)
	}
	s.must(exitOK, "resume", id)
	s.must(exitOK, "doctor")
}

// Rows that are invalid are told as such, and keep no other transfer from being listed.
func TestStatusOfSenselessRows(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.must(exitOK, "run", "--quiet", s.path("in"))
	s.must(exitOK, "run", "--quiet", "--recipe", "checksum", "--name", "sound", s.path("in"))
	s.exec(
		"UPDATE transfers SET files = -5, finished = 9223372036854775807, name = x'1b5d303b78', via = x'1b5d' WHERE id = 1",
		"UPDATE steps SET name = x'1b5d303b78', handler = x'ff07' WHERE transfer_id = 1",
		"DELETE FROM files WHERE transfer_id = 2",
	)
	list := s.must(exitOK, "status").stdout
	one := s.must(exitOK, "status", "1").stdout
	contains(t, "list", list, "sound", `1b]0;x`, "completed, bad rows")
	contains(t, "detail", one, "is invalid: files is -5, dispatched is 1, finished is 9223372036854775807", `\x1b]0;x`, `by \x1b]`, "Correct the database")
	if strings.ContainsAny(list+one, "\x1b\a") || strings.Contains(list+one, "\xff") {
		t.Errorf("control characters reach the terminal:\n%q\n%q", list, one)
	}
	contains(t, "retry without files", s.must(exitError, "retry", "sound", "--outcome", "succeeded").stderr,
		"1 of 1 file with results, but without a row in files: restore the database; nothing is retried")
}
