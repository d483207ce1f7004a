package cli

import (
	"os"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func TestRecipeCopy(t *testing.T) {
	s := newTestEnv(t)
	s.file("in/sub/a.txt", "alpha")
	s.file("in/b.txt", "beta")
	t.Chdir(s.dir)
	s.must(exitOK, "run", "--recipe", "copy", s.path("in"))
	for name, want := range map[string]string{"copy/sub/a.txt": "alpha", "copy/b.txt": "beta"} {
		got, err := os.ReadFile(s.path(name))
		testkit.Must(t, err)
		equal(t, name, string(got), want)
	}
	s.file("copy/b.txt", "somebody's") // stays as it is
	s.file("in/b.txt", "changed")
	r := s.must(exitFailures, "run", "--recipe", "copy", s.path("in"))
	contains(t, "what is there with other content", r.stdout, "destination-exists")
}

func TestRecipeLoad(t *testing.T) {
	t.Parallel()
	s := newTestEnv(t)
	s.file("in/events.jsonl", "{\"id\":1}\n{\"id\":2}\nbad\n")
	s.file("in/clicks.ndjson", "{\"id\":3}\n")
	s.file("in/readme.txt", "no lines")
	run := s.must(exitOK, "run", "--json", "--recipe", "load", s.path("in")).summary(t)
	if step := run.Steps[0]; step.Selected != 2 || step.Results.Succeeded != 1 || step.Results.Warning != 1 {
		t.Errorf("the step counts %+v", step)
	}
	equal(t, "rejected", s.stable(s.must(exitOK, "results", run.Transfer, "--rejected", "--json").stdout),
		`{"file":2,"path":"DIR/in/events.jsonl","line":3,"reason":"not JSON at byte 1 of the line: a value is missing","content":"bad","size":3}`+"\n")
	s.file("in/events.jsonl", "{\"id\":1}\n{\"id\":2}\nbad\n{\"id\":4}\n")
	s.must(exitOK, "run", "--recipe", "load", s.path("in"))
	pool := testkit.Database(t, "sqlite:"+s.path(".local/state/baler/baler.db"))
	for table, want := range map[string]int{"events": 3, "clicks": 1} {
		var n int
		testkit.Must(t, pool.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table+" WHERE json_extract(line, '$.id') > 0").Scan(&n))
		if n != want {
			t.Errorf("%d lines in %s, want %d", n, table, want)
		}
	}
}
