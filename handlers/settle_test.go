package handlers

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/tasks"
)

func TestBatchErrorTouchesOnlyOpenJobs(t *testing.T) {
	for name, h := range map[string]HandlerFunc{
		"error":  func(_ context.Context, jobs []*Job) error { jobs[0].Done(); return io.ErrClosedPipe },
		"panic":  func(_ context.Context, jobs []*Job) error { jobs[0].Done(); panic(io.ErrClosedPipe) },
		"goexit": func(_ context.Context, jobs []*Job) error { jobs[0].Done(); runtime.Goexit(); return nil },
	} {
		jobs := batchOf(3)
		err := <-invoke.Go(func() error { return h(t.Context(), jobs) })
		if name != "goexit" && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: got %v", name, err)
		}
		if left := Settle(t.Context(), jobs, err); len(left) > 0 {
			t.Errorf("%s: %d jobs left", name, len(left))
		}
		if r := jobs[0].Result(); r.Outcome != tasks.OutcomeSucceeded || r.Error != "" {
			t.Errorf("%s: the done job became %+v", name, r)
		}
		for _, job := range jobs[1:] {
			if r := job.Result(); r.Outcome != tasks.OutcomeError || !strings.Contains(r.Error, err.Error()) {
				t.Errorf("%s: got %+v", name, r)
			}
		}
	}
}

func TestEndingOf(t *testing.T) {
	timeout, stopped := context.DeadlineExceeded, context.Canceled
	for _, c := range []struct {
		ctxErr          error
		failed, decided bool
		want            ending
	}{
		{nil, false, false, endsAsIs},
		{nil, false, true, endsAsIs},
		{nil, true, false, endsByError},
		{timeout, false, false, endsByTimeout},
		{timeout, false, true, endsAsIs},
		{timeout, true, false, endsByError},
		{stopped, false, false, endsElsewhere},
		{stopped, false, true, endsAsIs},
		{stopped, true, false, endsByError},
	} {
		if got := endingOf(c.ctxErr, c.failed, c.decided); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
