package handlers

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/tasks"
)

// timedJobs makes n jobs with a time limit for each.
func timedJobs(n int, limit time.Duration) []*Job {
	return NewJobs(n, func(i int) JobSpec { return JobSpec{File: tasks.File{No: int64(i) + 1}, Timeout: limit} })
}

// The time limit is that of each file: many of them may take longer together.
func TestTimeoutIsOneFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := PerFile(func(ctx context.Context, _ *Job) error {
			select {
			case <-time.After(500 * time.Millisecond):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		jobs := timedJobs(40, 3*time.Second)
		if err := h.Handle(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			if r := j.Result(); !j.IsDone() || r.Outcome != tasks.OutcomeSucceeded {
				t.Errorf("file %d: %+v", r.File, r)
			}
		}
	})
}

// A file that takes too long costs its neighbours nothing, whether it listens to its
// context or not, and whatever it does in the end.
func TestSlowFileTimesOutAlone(t *testing.T) {
	for name, c := range map[string]struct {
		fn      func(ctx context.Context, j *Job) error
		outcome tasks.Outcome
		code    string
		message string
		took    time.Duration
	}{
		"listens": {
			func(ctx context.Context, _ *Job) error { <-ctx.Done(); return ctx.Err() },
			tasks.OutcomeTimedOut, CodeTimeout, "longer than its time limit of 3s", 3 * time.Second,
		},
		"wraps": {
			func(ctx context.Context, _ *Job) error { <-ctx.Done(); return fmt.Errorf("read: %w", ctx.Err()) },
			tasks.OutcomeTimedOut, CodeTimeout, "longer than its time limit of 3s", 3 * time.Second,
		},
		"ignores": {
			func(context.Context, *Job) error { time.Sleep(time.Hour); return nil },
			tasks.OutcomeTimedOut, CodeTimeout, "left running", 8 * time.Second,
		},
		"succeeds late": {
			func(context.Context, *Job) error { time.Sleep(4 * time.Second); return nil },
			tasks.OutcomeSucceeded, "", "", 4 * time.Second,
		},
		"has a verdict of its own": {
			func(ctx context.Context, _ *Job) error { <-ctx.Done(); return Fail("corrupt", errors.New("no end")) },
			tasks.OutcomeFailed, "corrupt", "no end", 3 * time.Second,
		},
		"panics late": {
			func(ctx context.Context, _ *Job) error { <-ctx.Done(); panic("oh") },
			tasks.OutcomeError, CodePanic, "panic: oh", 3 * time.Second,
		},
		"ends its goroutine": {
			func(context.Context, *Job) error { runtime.Goexit(); return nil },
			tasks.OutcomeError, CodeError, "Goexit", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := PerFile(func(ctx context.Context, j *Job) error {
					if j.File().No == 2 {
						return c.fn(ctx, j)
					}
					return nil
				})
				jobs, begun := timedJobs(9, 3*time.Second), time.Now()
				if err := h.Handle(t.Context(), jobs); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took != c.took {
					t.Errorf("the batch took %s, want %s", took, c.took)
				}
				for i, j := range jobs {
					r := j.Result()
					switch {
					case !j.IsDone():
						t.Errorf("file %d is open", r.File)
					case i != 1 && r.Outcome != tasks.OutcomeSucceeded:
						t.Errorf("neighbour %d: %+v", r.File, r)
					case i == 1 && (r.Outcome != c.outcome || r.Code != c.code || !strings.Contains(r.Error, c.message)):
						t.Errorf("the slow file: %+v, want %s %q with %q", r, c.outcome, c.code, c.message)
					}
				}
				time.Sleep(2 * time.Hour) // what was left running ends
			})
		})
	}
}

// When the batch is taken away, its files have not timed out.
func TestTimedFileOfACanceledBatchStaysOpen(t *testing.T) {
	for name, with := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"stopped": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return canceledAfter(ctx, time.Second)
		},
		"timed out": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := PerFile(func(ctx context.Context, _ *Job) error { <-ctx.Done(); return ctx.Err() })
				ctx, cancel := with(t.Context())
				defer cancel()
				jobs := timedJobs(2, time.Minute)
				if err := h.Handle(ctx, jobs); !errors.Is(err, ctx.Err()) {
					t.Errorf("Handle gave %v", err)
				}
				if jobs[0].IsDone() || jobs[1].IsDone() {
					t.Errorf("ended as %+v", jobs[0].Result())
				}
			})
		})
	}
}

func canceledAfter(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(d, cancel)
	return ctx, cancel
}
