package exec

import (
	"os"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
	"github.com/balerhq/baler/tasks"
)

// Programs get copies, which are gone afterwards.
func TestCommandsForObjects(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	server, b := storagetest.New(t), storage.New()
	defer func() { testkit.Must(t, b.Close()) }()
	_, err := b.Add(server.Address(""))
	testkit.Must(t, err)
	var paths []string
	for key, content := range map[string]string{"p/a b.txt": "alpha", "p/..": "beta", "p/x//-c.txt": "gamma", "p/" + strings.Repeat("ü", 500) + ".txt": "delta"} {
		server.Put(key, content)
		paths = append(paths, "s3://films/"+key)
	}
	run := func(args map[string]any) []tasks.Result {
		t.Helper()
		r, err := handlertest.DryRun{Args: args, Roots: []string{"s3://films"}, Objects: b}.Run(t.Context(), New(), paths...)
		testkit.Must(t, err)
		if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		return r
	}
	for i, path := range paths {
		args := map[string]any{"command": []any{"sh", "-c", `cat "$1"; basename "$1"`, "sh", path}}
		r := run(args)[i]
		content, _ := server.Get(strings.TrimPrefix(path, "s3://films/"))
		if r.Outcome != tasks.OutcomeSucceeded || !strings.HasPrefix(r.Output, content) {
			t.Errorf("%s: %s %q %s", path, r.Outcome, r.Output, r.Error)
		}
		if strings.HasSuffix(path, "a b.txt") && !strings.HasSuffix(r.Output, "a b.txt\n") {
			t.Errorf("the copy has another name: %q", r.Output)
		}
	}
	for _, r := range run(map[string]any{"command": []any{"cat"}, "stdin": "file"}) {
		if r.Outcome != tasks.OutcomeSucceeded || r.Output == "" {
			t.Errorf("%s %q %s", r.Outcome, r.Output, r.Error)
		}
	}
	for _, how := range []string{"arguments", "stdin", "list"} {
		command := map[string][]any{
			"arguments": {"cat"}, "stdin": {"xargs", "-0", "cat"}, "list": {"sh", "-c", `while read -r p; do cat "$p"; done <"$1"`, "sh", "{}"},
		}[how]
		for _, r := range run(map[string]any{"command": command, "each": "batch", "paths": how}) {
			if r.Outcome != tasks.OutcomeSucceeded || !strings.Contains(r.Output, "alpha") || !strings.Contains(r.Output, "delta") {
				t.Errorf("%s: %s %q %s", how, r.Outcome, r.Output, r.Error)
			}
		}
	}
}

func TestObjectTooLargeToCopy(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	server, b := storagetest.New(t), storage.New()
	defer func() { testkit.Must(t, b.Close()) }()
	_, err := b.Add(server.Address(""))
	testkit.Must(t, err)
	server.Put("large", "123456")
	server.Put("small", "12345")
	for _, each := range []string{"file", "batch"} {
		var jobs []*handlers.Job
		for _, key := range []string{"large", "small"} {
			jobs = append(jobs, handlers.NewJob(handlers.JobSpec{
				File: tasks.File{Path: "s3://films/" + key, Size: 6}, Opener: b, MaxCopy: 5,
				Args:     map[string]any{"command": []any{"cat", "s3://films/" + key}[:map[string]int{"file": 2, "batch": 1}[each]], "each": each},
				Commands: func() handlers.CommandAccess { return handlers.CommandAccess{Allowed: true} },
			}))
		}
		testkit.Must(t, New().Handle(t.Context(), jobs))
		large, small := jobs[0].Result(), jobs[1].Result()
		if large.Outcome != tasks.OutcomeFailed || large.Code != handlers.CodeTooLargeToCopy || !strings.Contains(large.Error, "BALER_WORKER_MAX_COPY") {
			t.Errorf("%s: %s %s %s", each, large.Outcome, large.Code, large.Error)
		}
		if small.Output != "12345" {
			t.Errorf("%s: %s %q %s", each, small.Outcome, small.Output, small.Error)
		}
	}
}
