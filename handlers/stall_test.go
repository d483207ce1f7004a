package handlers

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/tasks"
)

// A file whose reading never returns ends as timed out after the limit; all others of
// its batch go on, and the batch ends.
func TestFileThatStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := PerFile(func(_ context.Context, job *Job) error {
			switch job.File().No {
			case 2, 3: // both goroutines are stuck at a time
				<-release
			case 5: // slow, and alive
				for range 10 {
					time.Sleep(4 * time.Minute)
					job.Progress()
				}
			}
			return nil
		}, Parallel(2), StallLimit(5*time.Minute))
		jobs := batchOf(8)
		begun := time.Now()
		if err := h.Handle(t.Context(), jobs); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 45*time.Minute || took > 50*time.Minute {
			t.Errorf("the batch took %s", took)
		}
		for _, job := range jobs {
			r := job.Result()
			stalls := r.File == 2 || r.File == 3
			switch {
			case stalls && (r.Outcome != tasks.OutcomeTimedOut || r.Code != CodeStalled):
				t.Errorf("file %d ended as %s %s", r.File, r.Outcome, r.Code)
			case !stalls && r.Outcome != tasks.OutcomeSucceeded:
				t.Errorf("file %d ended as %s %s: %s", r.File, r.Outcome, r.Code, r.Error)
			}
			if took := r.EndedAt.Sub(r.StartedAt); stalls && (took < 5*time.Minute || took > 7*time.Minute) {
				t.Errorf("file %d was given up after %s", r.File, took)
			}
		}
		close(release) // what stayed behind changes nothing
		synctest.Wait()
		if r := jobs[1].Result(); r.Outcome != tasks.OutcomeTimedOut {
			t.Errorf("it has become %s", r.Outcome)
		}
	})
}

// Each goroutine that stays behind holds a thread, so there is a limit to them.
func TestStuckGoroutinesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		h := PerFile(func(context.Context, *Job) error { <-release; return nil }, Parallel(4), StallLimit(time.Minute))
		jobs := batchOf(maxStuck + 10)
		ended := make(chan error, 1)
		go func() { ended <- h.Handle(t.Context(), jobs) }()
		time.Sleep(24 * time.Hour)
		given := 0
		for _, job := range jobs {
			if job.IsDone() {
				given++
			}
		}
		if given != maxStuck {
			t.Errorf("%d jobs are given up, want %d", given, maxStuck)
		}
		close(release)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		for _, job := range jobs[maxStuck+4:] {
			if r := job.Result(); r.Outcome != tasks.OutcomeSucceeded {
				t.Errorf("file %d ended as %s", r.File, r.Outcome)
			}
		}
	})
}
