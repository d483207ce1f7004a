package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestResultsShowWhileASlowJobRuns(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: mixed}]")
		release := make(chan struct{})
		r.handle("mixed", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs[1:] {
				j.Done()
			}
			<-release
			return nil
		})
		batches := r.Files(3)
		ended := make(chan error, 1)
		go func() { ended <- r.deliver(r.worker("w"), &batches[0]) }()
		testkit.Eventually(t, time.Minute, func() error {
			if got := r.Results(1); len(got) != 2 {
				return fmt.Errorf("%d of 2 finished files are recorded", len(got))
			}
			return nil
		})
		close(release)
		r.Must(<-ended)
		r.audit()
		if got := r.Results(1); len(got) != 3 {
			t.Errorf("%d results", len(got))
		}
	})
}

func TestBatchDeliveredAfterItsEndRunsNoMore(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: count}]")
		var runs atomic.Int64
		r.handle("count", func(_ context.Context, jobs []*handlers.Job) error { runs.Add(int64(len(jobs))); return nil })
		batches := r.Files(5)
		w := r.worker("w")
		for range 3 {
			r.Must(r.deliver(w, &batches[0]))
		}
		r.audit()
		if runs.Load() != 5 {
			t.Errorf("%d files ran, of 5", runs.Load())
		}
	})
}

// A worker that was believed dead, and is not, must not record over the one
// that took its batch.
func TestLaterDeliveryFencesTheOlder(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: slow}]")
		began, release := make(chan struct{}, 2), make(chan struct{})
		r.handle("slow", func(_ context.Context, jobs []*handlers.Job) error {
			began <- struct{}{}
			<-release
			jobs[0].WriteOutput([]byte("by " + jobs[0].Result().Worker))
			return nil
		})
		batches := r.Files(1)
		older, later := make(chan error, 1), make(chan error, 1)
		go func() { older <- r.deliver(r.worker("older"), &batches[0]) }()
		<-began
		r.Claim(batches[0].ID, true) // the queue saw a lease end
		go func() { later <- r.deliver(r.worker("later"), &batches[0]) }()
		<-began
		close(release)
		r.Must(errors.Join(<-older, <-later))
		r.audit()
		if got := r.Results(1)[1]; got.Worker != "later" || got.Output != "by later" {
			t.Errorf("recorded %+v", got)
		}
	})
}

func TestBatchErrorLeavesDoneJobsAlone(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("the tool broke") },
		"panic": func() error { panic("the tool broke") },
	} {
		t.Run(name, func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				r := newEnv(t, url, "name: t\nsteps: [{handler: broken, retry: {attempts: 3}}]")
				var sizes []int
				r.handle("broken", func(_ context.Context, jobs []*handlers.Job) error {
					sizes = append(sizes, len(jobs))
					for _, j := range jobs {
						if j.File().No == 3 {
							return fail() // what comes after it is innocent
						}
						j.Done()
					}
					return nil
				})
				r.Files(5)
				r.finish(r.worker("w"))
				r.audit()
				// 3, 4 and 5 come back, then each alone; only the poison file fails.
				if want := []int{5, 3, 1, 1, 1}; !slices.Equal(sizes, want) {
					t.Errorf("batches of %v, want %v", sizes, want)
				}
				for no, res := range r.Results(1) {
					if want := map[bool]tasks.Outcome{true: tasks.OutcomeError, false: tasks.OutcomeSucceeded}[no == 3]; res.Outcome != want {
						t.Errorf("file %d: %s, want %s", no, res.Outcome, want)
					}
				}
				if got := r.Results(1)[3]; got.Attempt != 3 {
					t.Errorf("the poison file has attempt %d", got.Attempt)
				}
			})
		})
	}
}

func TestNilWithoutVerdictsSucceeds(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: silent}]")
		r.handle("silent", func(context.Context, []*handlers.Job) error { return nil })
		r.Files(4)
		r.finish(r.worker("w"))
		if got := r.audit().Steps[0].Succeeded; got != 4 {
			t.Errorf("%d succeeded", got)
		}
	})
}
