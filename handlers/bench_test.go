package handlers

import (
	"context"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// The cost of a job without a handler's work.
func BenchmarkJob(b *testing.B) {
	h := HandlerFunc(func(_ context.Context, jobs []*Job) error { jobs[0].Done(); return nil })
	jobs := make([]*Job, 1)
	b.ReportAllocs()
	for b.Loop() {
		jobs[0] = NewJob(JobSpec{File: tasks.File{No: 1, Path: "/a/b", Size: 1}, Step: 1, Attempt: 1, Worker: "w"})
		testkit.Must(b, h.Handle(context.Background(), jobs))
		if r := jobs[0].Result(); r.Outcome != tasks.OutcomeSucceeded {
			b.Fatal(r.Outcome)
		}
	}
}

func BenchmarkOutput(b *testing.B) {
	line := []byte("a line of a tool's output, as there are many\n")
	c := newOutput(0)
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		c.write(line)
	}
}
