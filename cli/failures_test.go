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
	group := strings.Fields(s.must(exitOK, "failures", "latest").stdout)[12]
	equal(t, "groups", s.stable(s.must(exitOK, "failures", "latest").stdout),
		"GROUP     FILES  STEP      OUTCOME  CODE       MESSAGE                    FIRST AT             LAST AT              FIRST FILE\n"+
			group+"      2  checksum  failed   not-found  no such file or directory  TIME  TIME  DIR/gone1\n")
	equal(t, "of another outcome", s.must(exitOK, "failures", "latest", "--outcome", "error").stdout, "")
	contains(t, "JSON", s.must(exitOK, "failures", "latest", "--json").stdout,
		`{"type":"failures","group":"`+group+`","step":"checksum","outcome":"failed","code":"not-found","message":"no such file or directory","files":2,"first_file":2,"first_path":"/`)
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
	contains(t, "one group", s.must(exitOK, "failures", "latest", "--group", group, "--json").stdout, `"files":2`)
	equal(t, "its results", strings.Join(strings.Fields(s.stable(s.must(exitOK, "results", "latest", "--group", group, "--columns", "path").stdout)), " "),
		"PATH DIR/gone1 DIR/gone2")
	contains(t, "no digits", s.must(exitUsage, "retry", "latest", "--group", "1").stderr, `--group "1": give the 8 digits that 'baler failures' shows`)
	contains(t, "twice chosen", s.must(exitUsage, "retry", "latest", "--group", group, "--code", "x").stderr, "--group cannot be combined with --step")
	contains(t, "and final steps", s.must(exitUsage, "retry", "latest", "--group", group, "--finalizers").stderr, "--finalizers retries no files")
	contains(t, "unknown group", s.must(exitError, "retry", "latest", "--group", "00000000").stderr, "has no group of failures 00000000: 'baler failures 1' lists them")
	equal(t, "one file of the group", s.stable(s.must(exitOK, "retry", "latest", "--group", group, "--file", "2").stdout),
		"Retrying 1 file of transfer ID.\n")
	contains(t, "the group afterwards", s.must(exitOK, "failures", "latest", "--json").stdout, `"group":"`+group+`"`, `"files":1`)
	equal(t, "the rest of the group", s.stable(s.must(exitOK, "retry", "latest", "--group", group).stdout), "Retrying 1 file of transfer ID.\n")
	contains(t, "nothing is left", s.must(exitError, "retry", "latest", "--group", group).stderr, "a group is gone when its files run again")
	s.must(exitFailures, "run", "--missing-ok", "--recipe", "checksum", s.path("in"), s.path("gone1"), s.path("gone2"))
	equal(t, "retry of the group by its message", s.stable(s.must(exitOK, "retry", "latest", "--code", "not-found", "--message", message).stdout),
		"Retrying 2 files of transfer ID.\n")
}
