package cli

import (
	"strconv"
	"strings"
	"testing"
)

// Every command takes the number, the beginning of the id, the name, or latest.
func TestTransferReferences(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	first := s.must(exitOK, "run", "--json", "--name", "monday", s.path("in")).summary(t).Transfer
	s.must(exitOK, "run", "--quiet", "--name", "tuesday", "--recipe", "checksum", s.path("in"))
	for _, ref := range []string{first, first[:35], "1", "monday"} {
		contains(t, "status "+ref, s.must(exitOK, "status", ref).stdout, "Transfer 1 completed\n", "id       "+first+"\n")
	}
	for ref, want := range map[string]string{"latest": "Transfer 2 completed\n", "tuesday": "Transfer 2 completed\n", "2": "Transfer 2 completed\n"} {
		contains(t, "status "+ref, s.must(exitOK, "status", ref).stdout, want)
	}
	contains(t, "number in JSON", s.must(exitOK, "status", "--json", "latest").stdout, `,"number":2}`)
	for _, args := range []string{
		"results 1", "results 1 --rejected", "retry 1", "retry 1 --finalizers", "status --watch 1", "limit --transfer 1",
	} {
		s.must(exitOK, strings.Fields(args)...)
	}
	for _, args := range []string{"cancel 1", "pause 1", "resume 1", "submit --resume 1"} {
		contains(t, args, s.must(exitError, strings.Fields(args)...).stderr, "ransfer 1 ")
	}
	equal(t, "delete latest", s.stable(s.must(exitOK, "delete", "latest").stdout), "Transfer ID with 1 file is deleted.\n")
	equal(t, "delete by name", s.must(exitOK, "delete", "monday").stdout, "Transfer "+first+" with 1 file is deleted.\n")
	contains(t, "delete by name again", s.must(exitError, "delete", "monday").stderr, "error: no such transfer: monday\n")
}

func TestAmbiguousReferenceListsTheCandidates(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	for range 11 {
		s.must(exitOK, "submit", "--name", "nightly", s.path("in"))
	}
	r := s.must(exitError, "cancel", "nightly")
	lines := strings.Split(r.stderr, "\n")
	equal(t, "first line", lines[0], `error: "nightly" fits several transfers; give the number of one, or more of its id:`)
	for i, line := range lines[1:11] {
		contains(t, "candidate", s.stable(line), "error: "+strconv.Itoa(11-i)+"  ID  ", `  running  "nightly"`)
	}
	equal(t, "last line", lines[11], "error: … and older ones")
	contains(t, "prefix of all ids", s.must(exitError, "cancel", "0").stderr, `error: "0" fits several transfers`)
	// A name that is another transfer's number is no way to hit the wrong one.
	s.must(exitOK, "submit", "--name", "3", s.path("in"))
	contains(t, "name and number", s.must(exitError, "cancel", "3").stderr, "error: 12  ", "error: 3  ")
}
