package cli

import "testing"

func TestRunPrintsTheAddressOfItsPage(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	r := s.must(exitOK, "run", "--ui", s.path("in"))
	contains(t, "address", r.stderr, "Watch this run at http://127.0.0.1:")
	r = s.must(exitOK, "run", "--ui", s.path("in")) // nothing to do, and no page
	equal(t, "second run's stderr", r.stderr, "")
	s.file("in/b.txt", "beta")
	contains(t, "address in JSON", s.must(exitOK, "run", "--ui", "--json", s.path("in")).stderr, `"message":"Watch this run at http://127.0.0.1:`)
}
