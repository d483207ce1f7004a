package cli

import (
	"strings"
	"testing"
)

func TestFailures(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.must(exitFailures, "run", "--missing-ok", "--recipe", "checksum", s.path("in"), s.path("gone1"), s.path("gone2"))
	equal(t, "groups", s.stable(s.must(exitOK, "failures", "latest").stdout),
		"FILES  STEP      OUTCOME  CODE       MESSAGE                    FIRST AT             LAST AT              FIRST FILE\n"+
			"    2  checksum  failed   not-found  no such file or directory  TIME  TIME  DIR/gone1\n")
	equal(t, "of another outcome", s.must(exitOK, "failures", "latest", "--outcome", "error").stdout, "")
	contains(t, "JSON", s.must(exitOK, "failures", "latest", "--json").stdout,
		`{"type":"failures","step":"checksum","outcome":"failed","code":"not-found","message":"no such file or directory","files":2,"first_file":2,"first_path":"/`)
	const message = "no such file or directory"
	contains(t, "times", s.stable(s.must(exitOK, "failures", "latest", "--json", "--message", message).stdout), `gone1","first_at":"2`, `Z","last_at":"2`)
	equal(t, "of another code", s.must(exitOK, "failures", "latest", "--code", "not").stdout, "")
	equal(t, "results of the group", strings.Join(strings.Fields(s.stable(s.must(exitOK, "results", "latest", "--code", "not-found", "--message", message,
		"--columns", "path").stdout)), " "), "PATH DIR/gone1 DIR/gone2")
	contains(t, "a message of no failure", s.must(exitUsage, "results", "latest", "--outcome", "warning", "--message", message).stderr,
		"--message selects failures, and warning is not a failure: give failed, error or timed_out")
	equal(t, "retry of another message", s.stable(s.must(exitOK, "retry", "latest", "--message", "no such file").stdout),
		"Nothing to retry in transfer ID: there is no such result.\n")
	equal(t, "retry of another code", s.stable(s.must(exitOK, "retry", "latest", "--code", "damaged", "--message", message).stdout),
		"Nothing to retry in transfer ID: there is no such result.\n")
	contains(t, "no failure", s.must(exitUsage, "failures", "latest", "--outcome", "skipped").stderr, "skipped is not a failure: give failed, error or timed_out")
	contains(t, "unknown step", s.must(exitError, "failures", "latest", "--step", "nope").stderr, `has no step "nope"; it has checksum`)
	equal(t, "retry of the group", s.stable(s.must(exitOK, "retry", "latest", "--code", "not-found", "--message", message).stdout),
		"Retrying 2 files of transfer ID.\n")
}
