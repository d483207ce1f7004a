package cli

import "testing"

func TestFailures(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	s.must(exitFailures, "run", "--missing-ok", "--recipe", "checksum", s.path("in"), s.path("gone1"), s.path("gone2"))
	equal(t, "groups", s.stable(s.must(exitOK, "failures", "latest").stdout),
		"FILES  STEP      OUTCOME  CODE       MESSAGE                    FIRST FILE\n"+
			"    2  checksum  failed   not-found  no such file or directory  DIR/gone1\n")
	equal(t, "of another outcome", s.must(exitOK, "failures", "latest", "--outcome", "error").stdout, "")
	contains(t, "JSON", s.must(exitOK, "failures", "latest", "--json").stdout,
		`{"type":"failures","step":"checksum","outcome":"failed","code":"not-found","message":"no such file or directory","files":2,"first_file":2,"first_path":"/`)
	contains(t, "no failure", s.must(exitUsage, "failures", "latest", "--outcome", "skipped").stderr, "skipped is not a failure: give failed, error or timed_out")
	contains(t, "unknown step", s.must(exitError, "failures", "latest", "--step", "nope").stderr, `has no step "nope"; it has checksum`)
}
