package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// A path that was typed wrong makes no transfer, and no table.
func TestMissingPathsMakeNoTransfer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, hint string }{
		{"run in gone file/below", "error: no file was registered: correct the paths, or use --missing-ok to record a failed result instead\n"},
		{"submit in gone file/below", "error: no file was registered: correct the paths, or use --missing-ok to record a failed result instead\n"},
		{"load gone file/below --into t --create", ""},
	} {
		s := newTestEnv(t)
		s.file("in/a.txt", "alpha")
		s.file("file", "x")
		args := strings.Fields(c.args)
		for i, arg := range args[1:3] {
			args[i+1] = s.path(arg)
		}
		if args[0] != "load" {
			args[3] = s.path(args[3])
		}
		r := s.must(exitError, args...)
		equal(t, c.args, s.stable(r.stderr), "error: DIR/gone: no such file or directory\nerror: DIR/file/below: not a directory\n"+c.hint)
		contains(t, "status after "+c.args, s.must(exitOK, "status").stdout, "There are no transfers yet")
	}
}

func TestMissingPathsAreNamedAsTyped(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	r := s.must(exitError, append([]string{"run", "no\nsuch"}, strings.Fields("1 2 3 4 5 6 7 8 9 10 11")...)...)
	contains(t, "stderr", r.stderr, "error: \"no\\nsuch\": no such file or directory\n", "error: 9: no such", "error: … and 2 more paths\n")
}

// A list may be older than the files it names: its missing paths get failed results.
func TestMissingPathsOfAList(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.env = append(s.env, "BALER_ROOTS="+s.dir)
	s.from = strings.NewReader(filepath.Join(s.dir, "gone") + "\n")
	contains(t, "object", s.must(exitOK, "submit", "-", "--json").stdout, `"files":1,`)
}

// An empty value of a flag comes from a script with an unset variable. It is no way to
// mean the default.
func TestEmptyFlagsAreUsageErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flag string
		args []string
	}{
		{"key", []string{"submit", "--key", "", "in"}},
		{"files-from", []string{"submit", "--files-from", ""}},
		{"resume", []string{"submit", "--resume="}},
		{"recipe", []string{"run", "--recipe", "", "in"}},
		{"exclude", []string{"run", "--exclude", "", "in"}},
		{"exclude-from", []string{"run", "--exclude-from", "", "in"}},
		{"webhook", []string{"run", "--webhook", "", "in"}},
		{"min-size", []string{"run", "--min-size", "", "in"}},
		{"database", []string{"--database", "", "status"}},
		{"config", []string{"--config", "", "status"}},
		{"outcome", []string{"results", "latest", "--outcome", ""}},
		{"columns", []string{"results", "latest", "--columns", ""}},
		{"older-than", []string{"prune", "--older-than", ""}},
		{"into", []string{"load", "in", "--into", ""}},
	} {
		s := newTestEnv(t)
		s.file("in/a.txt", "alpha")
		contains(t, strings.Join(c.args, " "), s.must(exitUsage, c.args...).stderr, "--"+c.flag)
		contains(t, "status", s.must(exitOK, "status").stdout, "There are no transfers yet")
	}
}
