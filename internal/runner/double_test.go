package runner

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// double writes a second batch of the same files, as when the queue collected
// them twice.
func (r *env) double(of *tasks.Batch) tasks.Batch {
	r.T.Helper()
	b := []tasks.Batch{{Transfer: of.Transfer, Step: of.Step, Attempt: 1, Files: of.Files, Queue: of.Queue}}
	r.Must(r.Store.AddBatches(r.T.Context(), b))
	return b[0]
}

// Two batches of the same files, one after the other or both at once: every
// file has one result and moves on once.
func TestFilesThatAreInTwoBatches(t *testing.T) {
	for _, outcome := range []tasks.Outcome{tasks.OutcomeSucceeded, tasks.OutcomeError} {
		t.Run(string(outcome), func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				r := newEnv(t, url, "name: t\nsteps: [{handler: first, on_failure: continue}, {handler: second}]")
				together := make(chan struct{}, 2)
				meet := make(chan struct{})
				r.handle("first", func(_ context.Context, jobs []*handlers.Job) error {
					if jobs[0].Attempt() == 1 {
						together <- struct{}{}
						<-meet
					}
					jobs[0].SetStatus(0, outcome, "")
					return nil
				})
				r.handle("second", func(context.Context, []*handlers.Job) error { return nil })
				batches := r.Files(20)
				other := r.double(&batches[0])
				w := r.worker("w")
				answers := make(chan error, 2)
				for _, b := range []tasks.Batch{batches[0], other} {
					go func() { answers <- r.deliver(w, &b) }()
				}
				<-together
				<-together
				close(meet)
				for range 2 {
					r.Must(<-answers)
				}
				r.finish(w)
				if tr := r.audit(); tr.Finished != 20 {
					t.Errorf("%d files finished", tr.Finished)
				}
			})
		})
	}
}

// The same with results that are recorded early: the run learns then which files belong to
// the other batch, and must remember that until it completes.
func TestFilesThatAreInTwoBatchesAndEndEarly(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: slow}]")
		began, release := make(chan struct{}), make(chan struct{})
		r.handle("slow", func(_ context.Context, jobs []*handlers.Job) error {
			if jobs[0].Result().Worker != "slow" {
				return nil
			}
			close(began)
			<-release
			before := r.flushes.Load()
			jobs[0].Done()
			testkit.Eventually(t, time.Minute, func() error {
				if r.flushes.Load() == before {
					return errors.New("nothing is recorded early")
				}
				return nil
			})
			return nil
		})
		batches := r.Files(3)
		one := []tasks.Batch{{Transfer: r.Transfer.ID, Step: 1, Attempt: 1, Queue: "default", Files: tasks.NewRanges([]int64{1})}}
		r.Must(r.Store.AddBatches(t.Context(), one))
		answer := make(chan error, 1)
		go func() { answer <- r.deliver(r.worker("slow"), &batches[0]) }()
		<-began
		r.Must(r.deliver(r.worker("quick"), &one[0]))
		close(release)
		r.Must(<-answer)
		if tr := r.audit(); tr.Finished != 3 {
			t.Errorf("%d of 3 files finished", tr.Finished)
		}
	})
}
