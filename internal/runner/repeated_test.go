package runner

import (
	"context"
	"errors"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A worker records part of a batch and returns it to the queue while the database does not
// answer. The ledger does not know that, so the next delivery looks like the first. This
// time the recorded files fail. Their first results stay, and decide how they continue.
func TestFilesThatEndOtherwiseAtADeliveryThatLooksLikeTheFirst(t *testing.T) {
	for _, outcome := range []tasks.Outcome{tasks.OutcomeError, tasks.OutcomeFailed} { // to be tried again, and final
		t.Run(string(outcome), func(t *testing.T) {
			testkit.EachDatabase(t, func(t *testing.T, url string) {
				r := newEnv(t, url, "name: t\nsteps: [{handler: half, retry: {attempts: 3}}, {handler: next}]")
				lost := false
				r.handle("half", func(_ context.Context, jobs []*handlers.Job) error {
					for _, j := range jobs {
						switch {
						case lost:
							j.SetStatus(1, outcome, "")
						case j.File().No <= 4:
							j.Done()
						}
					}
					return nil
				})
				r.handle("next", func(context.Context, []*handlers.Job) error { return nil })
				batches := r.Files(9)
				r.halve(&batches[0])
				lost = true
				w := r.worker("w")
				if err := r.deliver(w, &batches[0]); !errors.Is(err, ledger.ErrResultExists) {
					t.Errorf("the second delivery was answered with %v", err)
				}
				r.finish(w)
				if tr := r.audit(); tr.State != tasks.StateCompleted || tr.Finished != 9 {
					t.Errorf("%d of 9 finished, %s", tr.Finished, tr.State)
				}
				for no, res := range r.Results(1) {
					if want := map[bool]tasks.Outcome{true: tasks.OutcomeSucceeded, false: outcome}[no <= 4]; res.Outcome != want {
						t.Errorf("file %d ended as %s, want %s", no, res.Outcome, want)
					}
				}
				if n := len(r.Results(2)); n != 4 {
					t.Errorf("%d files came to the second step, want 4", n)
				}
			})
		})
	}
}
