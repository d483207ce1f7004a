package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func (s *testEnv) selectionTree() string {
	s.t.Helper()
	s.file("in/a.jpg", "alpha")
	s.file("in/B.JPG", "beta")
	s.file("in/sub/.hidden", "gamma")
	s.file("in/sub/c.tmp", "c")
	s.file("in/cache/d.jpg", "delta")
	return s.path("in")
}

func TestRunSelectsFiles(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	in := s.selectionTree()
	patterns := s.file("patterns", "# what is made again\n\ncache/\n*.tmp\n")
	id := s.must(exitOK, "run", "--recipe", "noop", "--json", "--exclude-from", patterns, "--exclude", ".*", in).summary(t).Transfer
	equal(t, "files", paths(t, s.must(exitOK, "results", "--json", id)), s.path("in/B.JPG")+" "+s.path("in/a.jpg"))

	// Another selection makes another run, for which all files are new.
	id = s.must(exitOK, "run", "--recipe", "noop", "--json", "--include", "*.jpg", "--ignore-case", "--min-size", "5", in).summary(t).Transfer
	equal(t, "files", paths(t, s.must(exitOK, "results", "--json", id)), s.path("in/a.jpg")+" "+s.path("in/cache/d.jpg"))

	for _, flags := range [][]string{{"--exclude", "["}, {"--include", "!a"}, {"--min-size", "x"}, {"--min-size", "2", "--max-size", "1"}} {
		s.must(exitUsage, append(append([]string{"run"}, flags...), in)...)
	}
	s.must(exitError, "run", "--exclude-from", s.path("gone"), in)
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	in := s.selectionTree()
	r := s.must(exitOK, "run", "--recipe", "noop", "--dry-run", "--exclude", "cache/", in)
	equal(t, "stdout", r.stdout, `4 files would be registered, 15 B.

EXTENSION  FILES  SIZE
.jpg           2   9 B
(none)         1   5 B
.tmp           1   1 B

EACH          FILES  SIZE
up to 64 KiB      4  15 B
`)
	equal(t, "stderr", r.stderr, `Hidden files are registered too: 1 file of a name, or in a folder, that begins with a dot. --exclude '.*' leaves them out.
--include, --exclude, size or time leave out 1 path; a folder that is left out counts once.
`)
	equal(t, "transfers", s.must(exitOK, "status", "--json").stdout, "")

	s.must(exitOK, "run", "--recipe", "noop", in)
	s.file("in/new.txt", "n")
	r = s.must(exitOK, "run", "--recipe", "noop", "--dry-run", in)
	contains(t, "a run again", r.stdout, "1 file would be registered, 1 B.\n", "\n.txt           1   1 B\n")
	contains(t, "a run again", r.stderr, "5 files are unchanged since an earlier run and would not be processed again.\n")

	list := s.file("list", s.path("in/a.jpg")+"\n"+s.path("in/cache")+"\n"+s.path("in/gone")+"\n")
	var p previewJSON
	if err := json.Unmarshal([]byte(s.must(exitOK, "submit", "--json", "--dry-run", "--files-from", list).stdout), &p); err != nil {
		t.Fatal(err)
	}
	if p.Files != 3 || p.Bytes != 10 || p.Problems != 1 {
		t.Errorf("%+v", p)
	}
}

func TestSubmitResumesWithItsSelection(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/c.tmp", "gamma")
	id := s.cutOff(tasks.StateInterrupted, longAgo, "--exclude", "*.tmp", s.path("in"))
	s.must(exitUsage, "submit", "--resume", id, "--exclude", "*")
	s.must(exitOK, "submit", "--resume", id)
	if sum := s.must(exitOK, "status", "--json", id).summary(t); sum.Files != 2 {
		t.Errorf("resumed: %+v", sum)
	}
}

func TestKeyOfAnotherSelection(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	in := s.selectionTree()
	id := s.must(exitOK, "submit", "--key", "k", "--newer", "2020-01-01", in).stdout
	equal(t, "the same again", s.must(exitOK, "submit", "--key", "k", "--newer", "2020-01-01", in).stdout, id)
	r := s.must(exitError, "submit", "--key", "k", "--max-size", "9", in)
	contains(t, "another selection", r.stderr, "has the selection --newer ", ", not --max-size 9;")
	r = s.must(exitUsage, "submit", "--newer", "soon", in)
	if !strings.Contains(r.stderr, `--newer "soon" is not a time`) {
		t.Error(r.stderr)
	}
}

// A pattern that nothing matches does not pass for a transfer that is done.
func TestNothingSelectedIsTold(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/a.txt", "alpha")
	contains(t, "run", s.must(exitOK, "run", s.path("in"), "--include", "*.zzz").stdout, "No file is left: --include, --exclude")
	contains(t, "submit", s.must(exitOK, "submit", s.path("in"), "--include", "*.zzz").stderr, "No file is left: --include, --exclude")
}
