package cli

import "testing"

func TestWeightOfRunAndLoad(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	lines := s.file("in/lines.jsonl", `{"id":1}`)
	for _, args := range [][]string{{"run", s.path("in")}, {"load", lines, "--into", "t"}, {"submit", s.path("in")}} {
		contains(t, args[0], s.must(exitUsage, append(args, "--weight", "0")...).stderr, "--weight is a number from 1 to 100, not 0")
	}
	s.must(exitOK, "run", "--weight", "3", s.path("in"))
	contains(t, "run", s.must(exitOK, "status", "latest", "--json").stdout, `"weight":3`)
	s.must(exitOK, "load", lines, "--into", "t", "--create", "--weight", "5")
	contains(t, "load", s.must(exitOK, "status", "latest", "--json").stdout, `"weight":5`)

	s.file("more/a.txt", "alpha")
	const note = "note: --weight has no effect on files that are sent by group"
	contains(t, "by group", s.must(exitOK, "run", "--via", "group", "--weight", "2", s.path("more")).stderr, note)
	equal(t, "quiet", s.must(exitOK, "run", "--quiet", "--via", "group", "--weight", "3", "--recipe", "checksum", s.path("more")).stderr, "")
	contains(t, "submit by group", s.must(exitOK, "submit", "--via", "group", "--weight", "2", s.path("more")).stderr, note)
}
