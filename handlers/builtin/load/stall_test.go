package load

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// stuckReader gives its content, and then never returns.
type stuckReader struct {
	*strings.Reader

	until chan struct{}
}

func (r *stuckReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF {
		<-r.until
	}
	return n, err
}

// A file of which nothing can be read any more ends as timed out. One whose rows the
// database takes long for does not.
func TestReadThatNeverReturns(t *testing.T) {
	const limit = 100 * time.Millisecond
	e := newEnv(t, testkit.SQLite(t))
	l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"n:int"}})
	run := func(no int64, content io.ReadSeeker, observe func(tasks.LoadCounts)) tasks.Result {
		t.Helper()
		b := batchLoaders{tables: e.Store, observe: observe, stall: limit}
		job := handlers.NewJob(handlers.JobSpec{File: tasks.File{No: no, Path: "/f"}, Transfer: no, Step: 1})
		h := handlers.PerFile(func(ctx context.Context, job *handlers.Job) error { return b.read(ctx, job, l, content) }, handlers.StallLimit(limit))
		testkit.Must(t, h.Handle(t.Context(), []*handlers.Job{job}))
		return job.Result()
	}
	stuck := &stuckReader{strings.NewReader("{\"n\":1}\n"), make(chan struct{})}
	defer close(stuck.until)
	if r := run(1, stuck, nil); r.Outcome != tasks.OutcomeTimedOut || r.Code != handlers.CodeStalled {
		t.Errorf("a read that never returns: %+v", r)
	}
	slow := func(tasks.LoadCounts) { time.Sleep(4 * limit) } // as a database would
	if r := run(2, strings.NewReader("{\"n\":2}\n"), slow); r.Outcome != tasks.OutcomeSucceeded {
		t.Errorf("a slow database: %+v", r)
	}
}
