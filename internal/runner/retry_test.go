package runner

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Each file ends as its number says, at every attempt.
func endAs(outcomes ...tasks.Outcome) handlers.HandlerFunc {
	return func(_ context.Context, jobs []*handlers.Job) error {
		for _, j := range jobs {
			j.SetStatus(0, outcomes[j.File().No-1], "because")
		}
		return nil
	}
}

func TestOnlyErrorAndTimeOutAreTriedAgain(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: ends, retry: {attempts: 3}}]")
		outcomes := tasks.Outcomes()
		ends := endAs(outcomes...)
		var sizes []int
		r.handle("ends", func(ctx context.Context, jobs []*handlers.Job) error {
			sizes = append(sizes, len(jobs))
			return ends(ctx, jobs)
		})
		r.Files(len(outcomes))
		r.finish(r.worker("w"))
		r.audit()
		if want := []int{len(outcomes), 2, 2}; !slices.Equal(sizes, want) {
			t.Errorf("batches of %v, want %v", sizes, want)
		}
		for no, res := range r.Results(1) {
			want := 1
			if res.Outcome.Retriable() {
				want = 3
			}
			if res.Outcome != outcomes[no-1] || res.Attempt != want {
				t.Errorf("file %d: %s at attempt %d, want %s at %d", no, res.Outcome, res.Attempt, outcomes[no-1], want)
			}
		}
		want := []string{"5/1 error because", "5/2 error because", "6/1 timed_out because", "6/2 timed_out because"}
		if got := r.tries(); !slices.Equal(got, want) {
			t.Errorf("tries are %q, want %q", got, want)
		}
	})
}

func TestAFileThatRecoversKeepsItsTries(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: flaky}]")
		r.handle("flaky", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				if j.File().No%2 == 0 && j.Attempt() == 1 {
					j.SetStatus(1, tasks.OutcomeError, "busy")
				}
			}
			return nil
		})
		r.Files(4)
		r.finish(r.worker("w"))
		if got := r.audit().Steps[0].Succeeded; got != 4 {
			t.Errorf("%d succeeded", got)
		}
		if want := []string{"2/1 error busy", "4/1 error busy"}; !slices.Equal(r.tries(), want) {
			t.Errorf("tries are %q, want %q", r.tries(), want)
		}
	})
}

// The recipe's step sets the number of attempts and the delays. The handler's values apply
// to fields that it leaves out.
func TestRetryPolicyOfTheStep(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: bad, retry: {attempts: 2, backoff: 1h}}]")
		r.handle("bad", endAs(tasks.OutcomeError), handlers.WithRetry(tasks.RetryPolicy{Attempts: 9, Backoff: time.Second, MaxBackoff: 4 * time.Hour}))
		batches := r.Files(1)
		now := time.Now()
		w := r.worker("w", func(o *Options) { o.Now = func() time.Time { return now } })
		r.Must(r.deliver(w, &batches[0]))
		took := time.Since(now) // the store goes by its own clock
		due, err := r.Store.DueBatches(t.Context(), 10)
		r.Must(err)
		if len(due) > 0 {
			t.Errorf("due at once: %+v", due)
		}
		var at time.Time
		r.Must(r.DB().QueryRowContext(t.Context(), "SELECT due_at FROM batches").Scan(scanTime{&at}))
		if wait := at.Sub(now); wait < 30*time.Minute-time.Second || wait > time.Hour+took+time.Second {
			t.Errorf("the next attempt waits %s, want from half the backoff to all of it", wait)
		}
		r.finish(w)
		r.audit()
		if got := r.Results(1)[1]; got.Attempt != 2 || got.Outcome != tasks.OutcomeError {
			t.Errorf("ended as %+v", got)
		}
	})
}

func TestStepRetryLaysTheRecipeOverTheHandler(t *testing.T) {
	reg := handlers.Registration{Retry: tasks.RetryPolicy{Attempts: 5, Backoff: time.Second, MaxBackoff: time.Minute}, Timeouts: handlers.Timeouts{File: time.Hour, Batch: time.Hour}}
	step := &recipe.Step{Retry: tasks.RetryPolicy{Backoff: 3 * time.Second}}
	if got, want := stepRetry(step, reg), (tasks.RetryPolicy{Attempts: 5, Backoff: 3 * time.Second, MaxBackoff: time.Minute}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := StepTimeouts(step, reg); got != reg.Timeouts {
		t.Errorf("timeouts %+v", got)
	}
	step.Timeout, step.BatchTimeout = time.Minute, time.Second
	if got, want := StepTimeouts(step, reg), (handlers.Timeouts{File: time.Minute, Batch: time.Second}); got != want {
		t.Errorf("timeouts %+v", got)
	}
}

// A file that hangs has timed out; its neighbours of the batch have not.
func TestTimeOutOfOneFile(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: slow, timeout: 1s, retry: {attempts: 1}}]")
		r.Must(r.registry.Register("slow", handlers.PerFile(func(ctx context.Context, j *handlers.Job) error {
			if j.File().No == 2 {
				<-ctx.Done()
			}
			return ctx.Err()
		})))
		r.Files(10)
		r.finish(r.worker("w"))
		r.audit()
		for no, got := range r.Results(1) {
			if want := map[bool]tasks.Outcome{true: tasks.OutcomeTimedOut, false: tasks.OutcomeSucceeded}[no == 2]; got.Outcome != want {
				t.Errorf("file %d: %+v, want %s", no, got, want)
			}
		}
	})
}

// A time limit of a file bounds a handler that cannot keep it: the batch has as much
// for all its files together.
func TestTimeOutOfFilesInAHandlerOfBatches(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: slow, timeout: 1m, retry: {attempts: 1}}]")
		r.handle("slow", func(ctx context.Context, _ []*handlers.Job) error {
			deadline, _ := ctx.Deadline()
			if left := time.Until(deadline); left > 3*time.Minute || left < 2*time.Minute {
				t.Errorf("%s for three files of a minute each", left)
			}
			return nil
		})
		r.Files(3)
		r.finish(r.worker("w"))
		r.audit()
	})
}

func TestTimeOut(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: slow, batch_timeout: 20ms, retry: {attempts: 2}}]")
		r.handle("slow", func(ctx context.Context, jobs []*handlers.Job) error {
			jobs[0].Done()
			<-ctx.Done()
			return ctx.Err()
		})
		r.Files(3)
		r.finish(r.worker("w"))
		r.audit()
		got := r.Results(1)
		// The batch of two comes back file by file: its first may be what was slow.
		for no, want := range map[int64]tasks.Outcome{1: tasks.OutcomeSucceeded, 2: tasks.OutcomeSucceeded, 3: tasks.OutcomeSucceeded} {
			if got[no].Outcome != want {
				t.Errorf("file %d: %+v, want %s", no, got[no], want)
			}
		}
		if want := []string{"2/1 timed_out timeout", "3/1 timed_out timeout"}; !slices.Equal(r.tries(), want) {
			t.Errorf("tries are %q, want %q", r.tries(), want)
		}
	})
}

// A handler that does not listen is left behind: the worker takes the next
// batch, and what the old one does late changes nothing.
func TestHandlerThatIgnoresItsTimeOut(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: deaf, retry: {attempts: 1}, batch: {max_items: 2}}]")
		release, late := make(chan struct{}), make(chan struct{})
		r.handle("deaf", func(_ context.Context, jobs []*handlers.Job) error {
			if jobs[0].File().No > 1 {
				return nil
			}
			<-release
			jobs[1].SetStatus(0, tasks.OutcomeWarning, "late")
			jobs[1].Done()
			close(late)
			return nil
		}, handlers.WithSlots(handlers.AllSlots))
		batches := r.Files(4)
		limits := []time.Duration{10 * time.Millisecond, time.Hour}
		w := r.worker("w", func(o *Options) {
			o.AbandonAfter = 10 * time.Millisecond
			o.Timeouts = func(*recipe.Step, handlers.Registration) (limit handlers.Timeouts) {
				limit.Batch, limits = limits[0], limits[1:]
				return limit
			}
		})
		r.Must(r.deliver(w, &batches[0]))
		r.Must(r.deliver(w, &batches[1])) // the slots are free again
		close(release)
		<-late
		r.audit()
		got := r.Results(1)
		for no, want := range map[int64]tasks.Outcome{1: tasks.OutcomeTimedOut, 2: tasks.OutcomeTimedOut, 3: tasks.OutcomeSucceeded, 4: tasks.OutcomeSucceeded} {
			if got[no].Outcome != want {
				t.Errorf("file %d: %+v, want %s", no, got[no], want)
			}
		}
	})
}

// A file whose storage does not answer is tried once more, not as often as other errors: each
// attempt takes minutes.
func TestStalledFileIsTriedTwice(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: stalls, retry: {attempts: 5}}]")
		r.handle("stalls", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				if j.File().No == 2 {
					j.SetStatus(0, tasks.OutcomeTimedOut, handlers.CodeStalled)
				}
			}
			return nil
		})
		r.Files(3)
		r.finish(r.worker("w"))
		r.audit()
		if res := r.Results(1)[2]; res.Outcome != tasks.OutcomeTimedOut || res.Code != handlers.CodeStalled || res.Attempt != 2 {
			t.Errorf("it ended as %s %s at attempt %d", res.Outcome, res.Code, res.Attempt)
		}
	})
}
