package cli

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// exec runs statements on the sandbox's database, past the program.
func (s *testEnv) exec(statements ...string) {
	s.t.Helper()
	db := testkit.Database(s.t, cmp.Or(s.setting("BALER_DATABASE_URL"), "sqlite:"+s.path(".local/state/baler/baler.db")))
	for _, statement := range statements {
		if _, err := db.ExecContext(s.t.Context(), statement); err != nil {
			s.t.Fatal(err)
		}
	}
}

// setting is a variable of the sandbox's environment.
func (s *testEnv) setting(name string) string { return (&program{env: s.env}).variable(name) }

// cutOff submits two files, and leaves of that what a producer leaves that dies
// after the first.
func (s *testEnv) cutOff(state tasks.State, seen string, args ...string) (id string) {
	s.t.Helper()
	s.file("in/a.txt", "alpha")
	s.file("in/b.txt", "beta")
	id = strings.TrimSpace(s.must(exitOK, append([]string{"submit"}, args...)...).stdout)
	s.exec(
		"DELETE FROM files WHERE no = 2",
		fmt.Sprintf("UPDATE transfers SET files = 1, bytes = 5, list_paths = 0, list_digest = NULL, sealed_at = NULL, state = '%s', seen_at = '%s'", state, seen),
	)
	return id
}

const (
	longAgo = "2020-01-02 03:04:05.000000+00:00"
	justNow = "2222-01-02 03:04:05.000000+00:00"
)

func TestSubmitResume(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	id := s.cutOff(tasks.StateInterrupted, longAgo, s.path("in"))

	contains(t, "status", s.must(exitOK, "status").stdout, "  interrupted  ")
	contains(t, "status ID", s.stable(s.must(exitOK, "status", id).stdout), "Transfer ID interrupted\n",
		"\nIts submission was interrupted, so some files may not be registered: resume it with\n'baler submit --resume ID'.")
	equal(t, "resume", s.stable(s.must(exitError, "resume", id).stderr),
		"error: transfer ID is not paused: its submission was interrupted; resume it with 'baler submit --resume ID'\n")
	s.must(exitOK, "pause", id)
	contains(t, "paused status", s.must(exitOK, "status").stdout, "  interrupted, paused  ")
	s.must(exitOK, "resume", id)

	r := s.must(exitOK, "submit", "--resume", id)
	equal(t, "stdout", r.stdout, id+"\n")
	contains(t, "stderr", s.stable(r.stderr), "Resumed the interrupted submission of transfer ID; all its files are registered.\n")
	if sum := s.must(exitOK, "status", "--json", id).summary(t); sum.Files != 2 || sum.State != tasks.StateRunning {
		t.Errorf("resumed: %+v", sum)
	}
	r = s.must(exitError, "submit", "--resume", id)
	contains(t, "resumed again", s.stable(r.stderr),
		"error: transfer ID cannot be resumed: the transfer is sealed: all its files are registered: it is running\n")
	equal(t, "stdout", r.stdout, "")
}

func TestSubmitResumeInJSON(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	id := s.cutOff(tasks.StateOpen, longAgo, s.path("in"))
	r := s.must(exitOK, "submit", "--json", "--resume", id)
	equal(t, "object", s.stable(r.stdout),
		`{"type":"transfer","transfer":"ID","created":false,"resumed":true,"files":2,"bytes":9,"via":"bulk"}`+"\n")
}

func TestSubmitResumeOfAnother(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	id := s.cutOff(tasks.StateOpen, justNow, s.path("in"))
	contains(t, "alive", s.stable(s.must(exitError, "submit", "--resume", id).stderr),
		"error: transfer ID cannot be resumed: the transfer's producer is alive, or was a moment ago: try again in half a minute\n")

	s = newTestEnv(t)
	s.env = append(s.env, "BALER_ROOTS="+s.dir)
	s.from = strings.NewReader(s.path("in/a.txt") + "\n" + s.path("in/b.txt") + "\n")
	id = s.cutOff(tasks.StateInterrupted, longAgo, "-")
	contains(t, "a list", s.stable(s.must(exitError, "submit", "--resume", id).stderr),
		"error: transfer ID cannot be resumed: the transfer was submitted as a list, which has to be submitted again: "+
			"'baler submit --resume ID -', or with --files-from\n")
	contains(t, "status", s.stable(s.must(exitOK, "status", id).stdout), "submit the same list again with\n'baler submit --resume ID -'",
		"its producer, which was interrupted: the same list again, with")
	s.from = strings.NewReader(s.path("in/b.txt") + "\n" + s.path("in/a.txt") + "\n")
	contains(t, "another list", s.must(exitError, "submit", "--resume", id, "-").stderr,
		fmt.Sprintf("has %q, not %q, as path 1 of its list", s.path("in/a.txt"), s.path("in/b.txt")))
	if sum := s.must(exitOK, "status", "--json", id).summary(t); sum.Files != 1 || sum.State != tasks.StateOpen {
		t.Errorf("after another list: %+v", sum)
	}
	s.exec(fmt.Sprintf("UPDATE transfers SET seen_at = '%s'", longAgo))
	s.file("list", s.path("in/a.txt")+"\n"+s.path("in/b.txt")+"\n")
	contains(t, "the same list", s.stable(s.must(exitOK, "submit", "--resume", id, "--files-from", s.path("list")).stderr),
		"Resumed the interrupted submission of transfer ID; all its files are registered.\n")
	if sum := s.must(exitOK, "status", "--json", id).summary(t); sum.Files != 2 || sum.State != tasks.StateRunning {
		t.Errorf("resumed: %+v", sum)
	}
	contains(t, "sealed", s.stable(s.must(exitError, "submit", "--resume", id, "--files-from", s.path("list")).stderr), "the transfer is sealed")
	for _, args := range [][]string{{"--null"}, {s.path("in")}, {"-", "--files-from", s.path("list")}} {
		s.must(exitUsage, append([]string{"submit", "--resume", id}, args...)...)
	}
}

// almostDead is when a producer was seen that counts as dead in a few seconds.
func almostDead() string {
	return time.Now().UTC().Add(-18 * time.Second).Format("2006-01-02 15:04:05.000000+00:00")
}

func TestSubmitWithTheKeyOfACutOffTransfer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		state   tasks.State
		seen    string // empty: almostDead
		list    bool
		code    int
		resumed bool
		stderr  string
	}{
		{"interrupted", tasks.StateInterrupted, longAgo, false, exitOK, true, "Resumed the interrupted submission of transfer ID; all its files are registered.\n"},
		{"open, producer dead", tasks.StateOpen, longAgo, false, exitOK, true, "Resumed the interrupted submission of transfer ID; all its files are registered.\n"},
		{"open, producer just died", tasks.StateOpen, "", false, exitOK, true, "may still be registering files; waiting until "},
		{"open, producer alive", tasks.StateOpen, justNow, false, exitError, false,
			"error: another submission with this key began transfer ID: the transfer's producer is alive, or was a moment ago: " +
				"it was seen at 2222-01-02T03:04:05Z; submit again when it has ended\n"},
		{"open list, producer alive", tasks.StateOpen, justNow, true, exitError, false, "the transfer's producer is alive"},
		{"open list", tasks.StateOpen, longAgo, true, exitOK, true,
			"Resumed the interrupted submission of transfer ID; all its files are registered.\n"},
		{"interrupted list", tasks.StateInterrupted, longAgo, true, exitOK, true,
			"Resumed the interrupted submission of transfer ID; all its files are registered.\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newTestEnv(t)
			path, list := s.path("in"), s.path("in/a.txt")+"\n"+s.path("in/b.txt")+"\n"
			if c.list {
				path = "-"
				s.env = append(s.env, "BALER_ROOTS="+s.dir)
				s.from = strings.NewReader(list)
			}
			seen := c.seen
			if seen == "" {
				seen = almostDead() // now: subtests begin late
			}
			id := s.cutOff(c.state, seen, "--key", "k", path)
			s.from = strings.NewReader(list)
			r := s.must(c.code, "submit", "--key", "k", "--json", path)
			contains(t, "stderr", s.stable(r.said()), c.stderr)
			if c.code == exitOK {
				contains(t, "stdout", r.stdout, fmt.Sprintf(`"transfer":"%s","created":false,"resumed":%v,`, id, c.resumed))
			}
			want := int64(1)
			if c.resumed {
				want = 2
			}
			if sum := s.must(exitOK, "status", "--json", id).summary(t); sum.Files != want {
				t.Errorf("%d files, want %d", sum.Files, want)
			}
		})
	}
}
