package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestFixityAndDiff(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		s.file("in/"+name, name+" as it was")
	}
	s.must(exitOK, "run", "--recipe", "checksum", "--quiet", s.path("in"))
	info, err := os.Stat(s.path("in/a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(s.file("in/a", "A as it was"), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.path("in/b"), s.path("in/e")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.path("in/c")); err != nil {
		t.Fatal(err)
	}
	r := s.must(exitFailures, "run", "--recipe", "fixity", s.path("in"))
	_, found, _ := strings.Cut(s.stable(r.stdout), "\n\nCompared")
	equal(t, "report", "Compared"+found, "Compared with earlier transfers: 1 damaged, 1 missing, 1 moved, 0 changed, 0 new, 1 unchanged\n\n"+
		"damaged  DIR/in/a\nmissing  DIR/in/c\nmoved    DIR/in/b to DIR/in/e"+
		"\nAll that is damaged or missing: baler diff 2\n")
	contains(t, "stderr", r.stderr, "1 file is missing. Put back what is missing")

	r = s.must(exitFailures, "diff", "1", "latest")
	equal(t, "diff", r.stdout, "damaged  a\nmoved    b to e\nmissing  c\n"+
		"Transfer 2 compared with 1: 1 damaged, 1 missing, 1 moved, 0 changed, 0 new, 1 unchanged.\n")
	r = s.must(exitFailures, "diff", "1", "2", "--json")
	equal(t, "the first difference", strings.SplitN(r.stdout, "\n", 2)[0], `{"type":"difference","kind":"damaged","path":"a"}`)
	r = s.must(exitFailures, "diff", "2")
	equal(t, "findings", r.stdout, "damaged  "+s.path("in/a")+"\nmissing  "+s.path("in/c")+"\n1 damaged, 1 missing.\n")
	r = s.must(exitUsage, "diff", "1")
	contains(t, "of one transfer", r.stderr, "transfer 1 is not of a run with a fixity recipe; name two transfers to compare")
	s.must(exitOK, "diff", "2", "2")

	r = s.must(exitUsage, "run", "--accept-missing", s.path("in"))
	contains(t, "without fixity", r.stderr, "--accept-missing is for recipes that say fixity: true")
	r = s.must(exitError, "submit", "--recipe", "fixity", s.path("in"))
	contains(t, "submit", r.stderr, "which 'baler run' does")
	r = s.must(exitOK, "run", "--recipe", "fixity", "--accept-missing", "--accept-failures", "--json", s.path("in"))
	type counts struct {
		Damaged   int `json:"damaged"`
		Missing   int `json:"missing"`
		Changed   int `json:"changed"`
		Unchanged int `json:"unchanged"`
	}
	var sum struct {
		Fixity counts `json:"fixity"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &sum); err != nil || sum.Fixity != (counts{0, 0, 1, 2}) {
		t.Errorf("accepted: %s, %v", r.stdout, err)
	}
}
