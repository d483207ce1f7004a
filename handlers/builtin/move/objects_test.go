package move

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
	"github.com/balerhq/baler/tasks"
)

func TestMoveIntoObjectStorage(t *testing.T) {
	t.Parallel()
	server, b := storagetest.New(t), storage.New()
	defer func() { testkit.Must(t, b.Close()) }()
	_, err := b.Add(server.Address(""))
	testkit.Must(t, err)
	source := t.TempDir()
	file := testkit.WriteFileIn(t, source, "sub/a.txt", "alpha")
	run := func(path string) tasks.Result {
		r, err := handlertest.DryRun{
			Args: map[string]any{"to": "s3://films/moved"}, Sources: []string{source}, Roots: []string{source, "s3://films"},
			Facts:   map[string]any{"sha256": "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8"},
			Outputs: []string{"s3://films", source}, Objects: b,
		}.Run(t.Context(), New(), path)
		testkit.Must(t, err)
		return r[0]
	}
	for range 2 { // the second time it is moved already
		if r := run(file); r.Outcome != tasks.OutcomeSucceeded {
			t.Errorf("%s %s: %s", r.Outcome, r.Code, r.Error)
		}
	}
	if content, _ := server.Get("moved/sub/a.txt"); content != "alpha" {
		t.Errorf("%q", content)
	}
	if _, err := os.Stat(filepath.Join(source, "sub", "a.txt")); !os.IsNotExist(err) {
		t.Errorf("the file stays: %v", err)
	}
	job := handlers.NewJob(handlers.JobSpec{File: tasks.File{Path: "s3://films/moved/sub/a.txt"}, Args: map[string]any{"to": source}})
	testkit.Must(t, New().Handle(t.Context(), []*handlers.Job{job}))
	if r := job.Result(); r.Outcome != tasks.OutcomeFailed || r.Code != handlers.CodeBadArgs {
		t.Errorf("%s %s: %s", r.Outcome, r.Code, r.Error)
	}
}
