package handlers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/internal/invoke"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestPerFileKeepsVerdictsApart(t *testing.T) {
	endings := []struct {
		name    string
		fn      func(job *Job) error
		outcome tasks.Outcome
		code    string
		exit    int
		message string
	}{
		{"nil", func(*Job) error { return nil }, tasks.OutcomeSucceeded, "", 0, ""},
		{"own status", func(j *Job) error { j.SetStatus(2, tasks.OutcomeSkipped, "s"); return nil }, tasks.OutcomeSkipped, "s", 2, ""},
		{"plain error", func(*Job) error { return io.ErrUnexpectedEOF }, tasks.OutcomeError, CodeError, 1, "unexpected EOF"},
		{"fail", func(*Job) error { return Fail("corrupt", io.EOF) }, tasks.OutcomeFailed, "corrupt", 1, "EOF"},
		{"wrapped", func(*Job) error { return fmt.Errorf("page 3: %w", Fail("corrupt", io.EOF)) }, tasks.OutcomeFailed, "corrupt", 1, "page 3: EOF"},
		{"again", func(*Job) error { return RetryLater("busy", io.EOF) }, tasks.OutcomeError, "busy", 1, "EOF"},
		{"warn", func(*Job) error { return Warn("odd", "looks odd") }, tasks.OutcomeWarning, "odd", 0, "looks odd"},
		{"skip", func(*Job) error { return Skip("no-text", "nothing to read") }, tasks.OutcomeSkipped, "no-text", 0, "nothing to read"},
		{"panic", func(*Job) error { panic("oh") }, tasks.OutcomeError, CodePanic, 1, "panic: oh\ngithub.com/balerhq/baler/handlers.TestPerFileKeepsVerdictsApart"},
		{"runtime error", func(j *Job) error { return []error{}[j.File().No] }, tasks.OutcomeError, CodePanic, 1, "panic: runtime error: index out of range"},
		{"goexit", func(*Job) error { runtime.Goexit(); return nil }, tasks.OutcomeError, CodeError, 1, invoke.ErrGoexit.Error()},
		{"after goexit", func(*Job) error { return nil }, tasks.OutcomeSucceeded, "", 0, ""},
	}
	h := PerFile(func(_ context.Context, job *Job) error { return endings[job.File().No-1].fn(job) }, Parallel(3))
	jobs := batchOf(len(endings))
	if left := Settle(t.Context(), jobs, <-invoke.Go(func() error { return h.Handle(t.Context(), jobs) })); len(left) > 0 {
		t.Errorf("%d jobs left", len(left))
	}
	for i, want := range endings {
		r := jobs[i].Result()
		if r.Outcome != want.outcome || r.Code != want.code || r.ExitCode != want.exit || !strings.HasPrefix(r.Error, want.message) {
			t.Errorf("%s: got %s %q %d %q", want.name, r.Outcome, r.Code, r.ExitCode, r.Error)
		}
		if r.StartedAt.IsZero() || r.EndedAt.Before(r.StartedAt) {
			t.Errorf("%s: from %v to %v", want.name, r.StartedAt, r.EndedAt)
		}
	}
}

func TestPerFileEndsEachJobEarly(t *testing.T) {
	first := make(chan struct{})
	jobs := batchOf(2)
	jobs[0].spec.OnDone = func(*Job) { close(first) }
	h := PerFile(func(_ context.Context, job *Job) error {
		if job.File().No == 2 {
			<-first // were the first recorded only with the batch, this would never end
		}
		return nil
	})
	testkit.Must(t, h.Handle(t.Context(), jobs))
}

func TestPerFileRunsAsManyAsAllowed(t *testing.T) {
	for _, n := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			var now, most atomic.Int64
			h := PerFile(func(context.Context, *Job) error {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second) // the bubble's clock
				now.Add(-1)
				return nil
			}, Parallel(n))
			begin := time.Now()
			testkit.Must(t, h.Handle(t.Context(), batchOf(6)))
			if most.Load() != int64(n) || time.Since(begin) != time.Duration(6/n)*time.Second {
				t.Errorf("Parallel(%d): %d at a time, took %s", n, most.Load(), time.Since(begin))
			}
		})
	}
}

func TestPerFileStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	jobs := batchOf(4)
	h := PerFile(func(ctx context.Context, job *Job) error {
		switch job.File().No {
		case 2:
			cancel()
			return fmt.Errorf("reading: %w", ctx.Err())
		case 3, 4:
			t.Error("started after the end")
		}
		return nil
	})
	err := h.Handle(ctx, jobs)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	left := Settle(ctx, jobs, err)
	if !jobs[0].IsDone() || len(left) != 3 {
		t.Errorf("%d jobs left", len(left))
	}
}

func TestPerFileKeepsAVerdictGivenAsTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	jobs := batchOf(2)
	h := PerFile(func(context.Context, *Job) error {
		cancel()
		return Fail("corrupt", io.EOF)
	})
	Settle(ctx, jobs, h.Handle(ctx, jobs))
	if r := jobs[0].Result(); r.Outcome != tasks.OutcomeFailed || jobs[1].IsDone() {
		t.Errorf("got %+v", r)
	}
}

func TestPerFileWithoutWorkersLeft(t *testing.T) {
	jobs := batchOf(3)
	h := PerFile(func(context.Context, *Job) error { runtime.Goexit(); return nil })
	Settle(t.Context(), jobs, h.Handle(t.Context(), jobs))
	for _, job := range jobs {
		if r := job.Result(); r.Outcome != tasks.OutcomeError {
			t.Errorf("file %d: %s", r.File, r.Outcome)
		}
	}
}

func TestPerFileUsesEveryJobOnce(t *testing.T) {
	var mu sync.Mutex
	seen := map[int64]int{}
	h := PerFile(func(_ context.Context, job *Job) error {
		mu.Lock()
		defer mu.Unlock()
		seen[job.File().No]++
		return nil
	}, Parallel(0))
	testkit.Must(t, h.Handle(t.Context(), batchOf(100)))
	for no := range int64(100) {
		if seen[no+1] != 1 {
			t.Errorf("file %d ran %d times", no+1, seen[no+1])
		}
	}
}
