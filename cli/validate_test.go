package cli

import (
	"os"
	"strings"
	"testing"
)

// A recipe is validated whatever the state of the database, which only knows the handlers of
// workers.
func TestValidateWithoutADatabase(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_DATABASE_URL=sqlite:"+s.file("other.db", "no database"))
	mine := s.file("mine.yaml", "name: mine\nsteps:\n  - handler: checksum\n  - handler: load\n    with: {into: t}\n")
	equal(t, "of a valid recipe", s.must(exitOK, "recipe", "validate", mine).stdout, "mine is valid.\n")
	bad := s.must(exitError, "recipe", "validate", s.file("bad.yaml", "name: bad\nsteps:\n  - handler: load\n    with: {int: t}\n"))
	contains(t, "of a bad one", bad.stderr, "bad.yaml:4")
	if strings.Contains(bad.stderr, "other.db") {
		t.Errorf("of a bad one:\n%s", bad.stderr)
	}
	elsewhere := s.must(exitError, "recipe", "validate", s.file("far.yaml", "name: far\nsteps:\n  - handler: bend-spoons\n"))
	contains(t, "of a handler elsewhere", elsewhere.stderr, `no handler is called "bend-spoons"`,
		"note: it is not known whether a running worker has the handler: ", "other.db")
	if s.must(exitOK, "recipe", "validate", "checksum", "--database", "sqlite:"+s.path("new.db")); exists(s.path("new.db")) {
		t.Error("a database was made")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
