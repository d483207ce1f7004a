package handlers

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// bare is a job whose clock stands still and whose file is never opened.
func bare() *Job {
	return NewJob(JobSpec{File: tasks.File{No: 7, Path: "/x/y"}, Step: 2, Attempt: 3, Worker: "w", Now: stopped})
}

func stopped() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC) }

func batchOf(n int) []*Job {
	jobs := make([]*Job, n)
	for i := range jobs {
		jobs[i] = NewJob(JobSpec{File: tasks.File{No: int64(i) + 1}})
	}
	return jobs
}
