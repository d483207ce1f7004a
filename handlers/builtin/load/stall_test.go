package load

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
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

// Files of which nothing can be read any more end as timed out. One whose rows the database
// takes long for does not.
func TestReadThatNeverReturns(t *testing.T) {
	const limit = 100 * time.Millisecond
	e := newEnv(t, testkit.SQLite(t))
	l := e.loader(t, Args{Into: "t", Create: true, Map: []string{"n:int"}})
	never := make(chan struct{})
	defer close(never)
	gaveUp := make(chan struct{}, 2) // the files that are stuck
	jobs := handlers.NewJobs(3, func(i int) handlers.JobSpec {
		return handlers.JobSpec{File: tasks.File{No: int64(i) + 1, Path: "/f"}, Transfer: int64(i) + 1, Step: 1, OnDone: func(j *handlers.Job) {
			if j.File().No > 1 {
				gaveUp <- struct{}{}
			}
		}}
	})
	// The stuck files are read one after the other beside the slow one, whose database
	// answers when both have been given up: that takes twice the limit.
	answer := sync.OnceFunc(func() {
		for range cap(gaveUp) {
			<-gaveUp
		}
	})
	database := batchLoaders{tables: e.Store, stall: limit, observe: func(tasks.LoadCounts) { answer() }}
	stuck := batchLoaders{tables: e.Store, stall: limit}
	h := handlers.PerFile(func(ctx context.Context, job *handlers.Job) error {
		content := strings.NewReader(fmt.Sprintf("{\"n\":%d}\n", job.File().No))
		if job.File().No == 1 {
			return database.read(ctx, job, l, content)
		}
		return stuck.read(ctx, job, l, &stuckReader{content, never})
	}, handlers.Parallel(2), handlers.StallLimit(limit))
	testkit.Must(t, h.Handle(t.Context(), jobs))
	if r := jobs[0].Result(); r.Outcome != tasks.OutcomeSucceeded {
		t.Errorf("a slow database: %+v", r)
	}
	for _, job := range jobs[1:] {
		if r := job.Result(); r.Outcome != tasks.OutcomeTimedOut || r.Code != handlers.CodeStalled {
			t.Errorf("a read that never returns: %+v", r)
		}
	}
}
