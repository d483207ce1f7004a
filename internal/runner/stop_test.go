package runner

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// endings are ways in which handlers answer to being told to stop.
var endings = map[string]func(ctx context.Context) error{
	"its error":     func(ctx context.Context) error { return fmt.Errorf("read: %w", ctx.Err()) },
	"its cause":     context.Cause,
	"nil":           func(context.Context) error { return nil },
	"killed child":  func(ctx context.Context) error { return exec.CommandContext(ctx, "sleep", "60").Run() },
	"its own error": func(context.Context) error { return errors.New("interrupted") },
}

// A stop charges no attempt, however a handler words its end.
func TestStopHandsBack(t *testing.T) {
	for name, ending := range endings {
		t.Run(name, func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				r := newEnv(t, url, "name: t\nsteps: [{handler: long, retry: {attempts: 2}}]")
				began := make(chan struct{})
				var ran []int64
				r.handle("long", func(ctx context.Context, jobs []*handlers.Job) error {
					if jobs[0].Result().Worker == "first" {
						jobs[0].Done()
						close(began)
						<-ctx.Done()
						return ending(ctx)
					}
					for _, j := range jobs {
						ran = append(ran, j.File().No)
					}
					return nil
				})
				batches := r.Files(3)
				first := r.worker("first")
				answer := make(chan error, 1)
				go func() { answer <- r.deliver(first, &batches[0]) }()
				<-began
				first.Stop()
				if err := <-answer; !errors.Is(err, errStopping) {
					t.Errorf("answered %v", err)
				}
				if err := r.deliver(first, &batches[0]); !errors.Is(err, errStopping) {
					t.Errorf("a batch after the stop was answered %v", err)
				}
				r.finish(r.worker("second"))
				r.audit()
				if !slices.Equal(ran, []int64{2, 3}) {
					t.Errorf("the second worker ran %v, want 2 and 3", ran)
				}
				for no, res := range r.Results(1) {
					if res.Outcome != tasks.OutcomeSucceeded || res.Attempt != 1 {
						t.Errorf("file %d: %s at attempt %d", no, res.Outcome, res.Attempt)
					}
				}
				if got := r.tries(); len(got) > 0 {
					t.Errorf("charged %q", got)
				}
			})
		})
	}
}

func TestStopReachesBatchesThatWaitForSlots(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: slow, batch: {max_items: 1}}]")
		began := make(chan struct{}, 2)
		r.handle("slow", func(ctx context.Context, _ []*handlers.Job) error {
			began <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		batches := r.Files(2)
		w := r.worker("w", func(o *Options) { o.Slots = 1 })
		answers := make(chan error, 2)
		for i := range batches {
			go func() { answers <- r.deliver(w, &batches[i]) }()
		}
		<-began
		w.Stop()
		for range batches {
			if err := <-answers; !errors.Is(err, errStopping) {
				t.Errorf("answered %v", err)
			}
		}
		if len(began) > 0 {
			t.Error("the second batch ran")
		}
	})
}

func TestDecidedJobsSurviveAStop(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: judge}]")
		w := r.worker("w")
		r.handle("judge", func(_ context.Context, jobs []*handlers.Job) error {
			w.Stop()
			for _, j := range jobs {
				j.SetStatus(2, tasks.OutcomeFailed, "corrupt")
			}
			return nil
		})
		batches := r.Files(2)
		// The verdicts stand; that the batch may have to come back to close is fine.
		if err := r.deliver(w, &batches[0]); err != nil && !errors.Is(err, errStopping) {
			t.Fatal(err)
		}
		r.finish(r.worker("second"))
		if got := r.audit().Steps[0].Failed; got != 2 {
			t.Errorf("%d failed", got)
		}
	})
}
