package runner

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// cancel cancels files and checks how many.
func (r *env) cancel(f tasks.ResultSelector, want int64) {
	r.T.Helper()
	n, err := r.Store.CancelFiles(r.T.Context(), r.Transfer.ID, f)
	r.Must(err)
	if n != want {
		r.T.Errorf("%d files are canceled by %+v, want %d", n, f, want)
	}
}

// ends says how each file ended at a step.
func (r *env) ends(step int) (all []string) {
	r.T.Helper()
	for no, res := range r.Results(step) {
		all = append(all, fmt.Sprintf("%d %s %s", no, res.Outcome, res.Code))
	}
	slices.Sort(all)
	return all
}

func (r *env) wantEnds(step int, want ...string) {
	r.T.Helper()
	if got := r.ends(step); !slices.Equal(got, want) {
		r.T.Errorf("step %d ended as %q, want %q", step, got, want)
	}
}

// A canceled file has one result, wherever it was: waiting, running, between two steps,
// waiting for another attempt. Its neighbours go on, and the counters fit the rows.
func TestCanceledFilesEndOnce(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: first, retry: {attempts: 3, backoff: 1h}}, {handler: second}]")
		r.handle("first", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				switch no := j.File().No; {
				case no == 1:
					t.Error("a file ran that was canceled while it waited")
				case no == 2: // while it runs
					r.cancel(tasks.ResultSelector{File: 2}, 1)
					r.cancel(tasks.ResultSelector{File: 2}, 0) // again
				case j.Attempt() > 1:
					t.Errorf("file %d ran again", no)
				case no == 3:
					j.SetStatus(1, tasks.OutcomeError, "busy")
				}
			}
			return nil
		})
		r.handle("second", func(context.Context, []*handlers.Job) error {
			r.cancel(tasks.ResultSelector{File: 4}, 1) // at its last step
			return nil
		})
		batches := r.Files(5)
		r.cancel(tasks.ResultSelector{File: 1}, 1)
		r.cancel(tasks.ResultSelector{File: 6}, 0) // there is none
		w := r.worker("w")
		r.Must(r.deliver(w, &batches[0]))
		r.cancel(tasks.ResultSelector{Outcomes: []tasks.Outcome{tasks.OutcomeError}, Code: "other"}, 0)
		r.cancel(tasks.ResultSelector{Outcomes: []tasks.Outcome{tasks.OutcomeError}, Code: "busy"}, 1) // waits for an hour
		var at time.Time
		r.Must(r.DB().QueryRowContext(t.Context(), "SELECT due_at FROM batches WHERE attempt = 2").Scan(scanTime{&at}))
		if wait := time.Until(at); wait > time.Minute {
			t.Errorf("the canceled file still waits %s for its attempt", wait)
		}
		r.finish(w)
		r.audit()
		r.wantEnds(1, "1 canceled canceled", "2 succeeded ", "3 canceled canceled", "4 succeeded ", "5 succeeded ")
		r.wantEnds(2, "2 canceled canceled", "4 succeeded ", "5 succeeded ")
		r.cancel(tasks.ResultSelector{File: 5}, 0) // the transfer has ended
	})
}

// Results and steps select files that go on.
func TestCancelSelectsByResultAndStep(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: first, on_failure: continue}, {handler: second}]")
		r.handle("first", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				if no := j.File().No; no <= 2 {
					j.Finish(handlers.Fail(fmt.Sprintf("code-%d", no), fmt.Errorf("no space on %d", no)))
				}
			}
			return nil
		})
		r.handle("second", func(context.Context, []*handlers.Job) error { return nil })
		batches := r.Files(4)
		w := r.worker("w")
		r.cancel(tasks.ResultSelector{Step: 2}, 0) // nothing is there yet
		r.Must(r.deliver(w, &batches[0]))
		r.cancel(tasks.ResultSelector{Step: 1}, 0) // nothing is there any more
		groups, err := r.Store.FailureGroups(t.Context(), r.Transfer.ID, tasks.ResultSelector{}, 10)
		r.Must(err)
		if len(groups) != 2 {
			t.Fatalf("groups are %+v", groups)
		}
		g := groups[1]
		r.cancel(tasks.ResultSelector{Step: g.Step, Outcomes: []tasks.Outcome{g.Outcome}, Code: g.Code, Message: g.Message, Exactly: true}, 1)
		r.cancel(tasks.ResultSelector{Step: 1, Outcomes: []tasks.Outcome{tasks.OutcomeSucceeded}}, 2)
		r.cancel(tasks.ResultSelector{Step: 2}, 1) // what is left
		r.finish(w)
		r.audit()
		r.wantEnds(2, "1 canceled canceled", "2 canceled canceled", "3 canceled canceled", "4 canceled canceled")
	})
}

// A file that is not in a batch yet is canceled too, and not by a message of another kind
// of submission.
func TestCancelOfAFileThatIsGathered(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: first}]")
		r.handle("first", func(context.Context, []*handlers.Job) error { return nil })
		r.ByGroup()
		r.Files(2)
		r.cancel(tasks.ResultSelector{File: 2}, 1)
		r.finish(r.worker("w"))
		r.wantEnds(1, "1 succeeded ", "2 canceled canceled")
	})
}
