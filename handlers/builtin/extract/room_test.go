package extract

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// jobLeaving is a job of an archive whose extraction leaves so many bytes of the disk free.
func jobLeaving(t *testing.T, content []byte, free int64) (job *handlers.Job, to string) {
	t.Helper()
	dir, to := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "a.zip")
	testkit.Must(t, os.WriteFile(path, content, 0o600))
	roots, err := handlers.NewRoots([]string{dir})
	testkit.Must(t, err)
	t.Cleanup(func() { testkit.Must(t, roots.Close()) })
	outputs, err := handlers.NewOutputRoots([]string{to})
	testkit.Must(t, err)
	return handlers.NewJob(handlers.JobSpec{
		File: tasks.File{No: 1, Path: path}, Sources: []string{dir}, Outputs: outputs, Opener: roots, Step: 1, Attempt: 1,
		Args: map[string]any{"to": to}, MinFree: free,
	}), to
}

// A disk is left with the room that the operator wants, and nothing half is left on it.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	job, to := jobLeaving(t, zipOf(t, entry{name: "a", content: "alpha"}), 1<<61)
	if _, known := job.FreeSpace(to); !known {
		t.Skip("this system does not say how much room a disk has")
	}
	job.Finish(extract(t.Context(), job, &room{}))
	r := job.Result()
	want(t, &r, tasks.OutcomeError, CodeNoSpace)
	if left, err := os.ReadDir(to); err != nil || len(left) > 1 || len(r.Emitted) > 0 || !strings.Contains(r.Error, "worker.min_free") {
		t.Errorf("left %v, %v; %s", left, err, r.Error)
	}
}

// What is promised to one extraction is not there for another, until it is written or given up.
func TestRoomIsShared(t *testing.T) {
	t.Parallel()
	job, to := jobLeaving(t, nil, 1)
	path := filepath.Join(to, "x")
	free, known := job.FreeSpace(path)
	if !known {
		t.Skip("this system does not say how much room a disk has")
	}
	var shared room
	most := free / 4 * 3 // of a disk that others write to, too
	one, err := newRoomed(&shared, job, path, most, strings.NewReader("alpha"))
	testkit.Must(t, err)
	if _, err := newRoomed(&shared, job, path, most, nil); err == nil || !strings.Contains(err.Error(), "promised") {
		t.Errorf("two members have the same room: %v", err)
	}
	if _, err := io.ReadAll(one); err != nil || shared.promised != most-5 {
		t.Errorf("%d promised, %v; want %d", shared.promised, err, most-5)
	}
	one.close()
	two, err := newRoomed(&shared, job, path, most, strings.NewReader(""))
	testkit.Must(t, err)
	two.close()
	unknown, err := newRoomed(&shared, job, path, -1, strings.NewReader("alpha"))
	testkit.Must(t, err)
	if _, err := io.ReadAll(unknown); err != nil || shared.promised != roomStep-5 {
		t.Errorf("%d promised, %v", shared.promised, err)
	}
	unknown.close()
	if shared.promised != 0 {
		t.Errorf("%d stay promised", shared.promised)
	}
}
