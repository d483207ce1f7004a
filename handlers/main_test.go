package handlers

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// put writes a file below dir and gives its path.
func put(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// bare is a job whose clock stands still and whose file is never opened.
func bare() *Job {
	return newJob(jobSpec{file: tasks.File{No: 7, Path: "/x/y"}, step: 2, attempt: 3, worker: "w", now: stopped})
}

func stopped() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC) }

func batchOf(n int) []*Job {
	jobs := make([]*Job, n)
	for i := range jobs {
		jobs[i] = newJob(jobSpec{file: tasks.File{No: int64(i) + 1}})
	}
	return jobs
}
