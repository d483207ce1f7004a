package store

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/audit"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// stoppable registers a sealed transfer of two steps with a limit of failures.
func (b *env) stoppable(t *testing.T, limit string, files int) tasks.Transfer {
	t.Helper()
	n := NewTransfer{Via: tasks.ViaBulk, Queue: "baler", Recipe: "steps: []", Webhooks: []string{"https://example.org/hook"}}
	for _, no := range []int{1, 2} {
		n.Steps = append(n.Steps, tasks.StepProgress{Number: no, Name: "look", Handler: "noop"})
	}
	var err error
	n.StopAfter, err = tasks.ParseStopAfter(limit)
	testkit.Must(t, err)
	tr, _, err := b.Create(t.Context(), n)
	testkit.Must(t, err)
	b.files(t, tr.ID, files)
	_, err = b.Seal(t.Context(), tr.ID)
	testkit.Must(t, err)
	return tr
}

// finish ends the files of one batch.
func (b *env) finish(t *testing.T, tr tasks.Transfer, step int, files string, outcome tasks.Outcome) {
	t.Helper()
	one := b.batchAt(t, tr.ID, step, files)
	b.record(t, &ledger.BatchCompletion{
		Batch: one, Results: results(one, outcome, slices.Collect(one.Files.All())...), FollowUp: finishing(one),
	})
}

// A transfer stops with the failure that reaches its limit, says so, and counts anew when a
// person has resumed it.
func TestFailuresStopATransfer(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.stoppable(t, "5%", 400)
		b.finish(t, tr, 1, "1-5", tasks.OutcomeFailed)
		b.finish(t, tr, 1, "6-100", tasks.OutcomeSucceeded)
		if now := b.read(t, tr.ID); now.Stopped != "" || !now.PausedAt.IsZero() {
			t.Fatalf("5 of 100 stop it: %q", now.Stopped)
		}
		b.finish(t, tr, 1, "101", tasks.OutcomeTimedOut)
		now := b.read(t, tr.ID)
		if want := "6 of 101 results of step look are failures, and it stops after 5%"; now.Stopped != want || now.PausedAt.IsZero() {
			t.Fatalf("stopped because %q, paused at %v; want %q", now.Stopped, now.PausedAt, want)
		}
		if due := b.due(t); len(due) != 0 {
			t.Errorf("a stopped transfer has due batches: %v", due)
		}
		sent, err := b.Webhooks(t.Context(), tr.ID)
		if err != nil || len(sent) != 2 || !strings.Contains(sent[1].Body, `"type":"transfer.stopped"`) ||
			!strings.Contains(sent[1].Body, `"stop_after":"5%","stopped":"6 of 101 `) {
			t.Errorf("the webhook gets %+v, %v", sent, err)
		}
		lines, err := b.AuditOf(t.Context(), tr.UUID, audit.Done, []string{audit.StopTransfer}, 10)
		if err != nil || len(lines) != 1 || lines[0].Detail != now.Stopped || lines[0].Who != "Baler" {
			t.Errorf("the audit log has %+v, %v", lines, err)
		}

		_, err = b.RetryFiles(t.Context(), RetryRequest{
			Transfer: tr.ID, Filter: tasks.ResultSelector{Outcomes: []tasks.Outcome{tasks.OutcomeTimedOut}}, Limit: 10,
			StopsRecipe: func(_ int, o tasks.Outcome) bool { return o.StopsRecipe() },
			Cut:         func(int, []tasks.File) []tasks.Batch { return nil },
		})
		testkit.Must(t, err)
		b.resume(t, tr)
		b.finish(t, tr, 1, "101-105", tasks.OutcomeFailed)
		if now := b.read(t, tr.ID); now.Stopped != "" || !now.PausedAt.IsZero() {
			t.Fatalf("5 failures since it was resumed stop it: %q", now.Stopped)
		}
		b.finish(t, tr, 1, "106", tasks.OutcomeError)
		if got := b.read(t, tr.ID).Stopped; !strings.HasPrefix(got, "6 of 6 results") {
			t.Errorf("6 failures since it was resumed: stopped because %q", got)
		}
		b.resume(t, tr)
		_, err = b.Pause(t.Context(), tr.ID) // a person's own pause counts no failure as seen
		testkit.Must(t, err)
		b.finish(t, tr, 1, "107-111", tasks.OutcomeFailed)
		b.resume(t, tr)
		b.finish(t, tr, 1, "112", tasks.OutcomeFailed)
		if got := b.read(t, tr.ID).Stopped; !strings.HasPrefix(got, "6 of 6 results") {
			t.Errorf("6 failures before and after a pause: stopped because %q", got)
		}
	})
}

func (b *env) resume(t *testing.T, tr tasks.Transfer) {
	t.Helper()
	if resumed, err := b.Resume(t.Context(), tr.ID); err != nil || !resumed {
		t.Fatalf("resumed %v, %v", resumed, err)
	}
	b.clock.Advance(time.Second)
}

// Workers that record at the same time, at different steps, miss none of the failures: the
// one that commits last sees them all.
func TestFailuresOfManyWorkersStopATransfer(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		const batches = 12
		tr := b.stoppable(t, "12", 100)
		var all sync.WaitGroup
		for i := range batches {
			one := b.batchAt(t, tr.ID, 1+i%2, tasks.NewRanges([]int64{int64(i + 1)}).String())
			all.Go(func() {
				_, err := b.Record(t.Context(), []*ledger.BatchCompletion{{
					Batch: one, Results: results(one, tasks.OutcomeFailed, int64(i+1)), FollowUp: finishing(one),
				}})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := b.read(t, tr.ID).Stopped; got != "12 results are failures, and it stops after 12" {
			t.Errorf("stopped because %q", got)
		}
	})
}

// The batches that run may be the last: the transfer completes.
func TestLastBatchesOfAStoppedTransfer(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.stoppable(t, "1", 3)
		b.finish(t, tr, 1, "1", tasks.OutcomeFailed)
		if got := b.read(t, tr.ID); got.Stopped != "1 result is a failure, and it stops after 1" {
			t.Errorf("stopped because %q", got.Stopped)
		}
		b.finish(t, tr, 1, "2-3", tasks.OutcomeFailed)
		if got := b.read(t, tr.ID); got.State != tasks.StateCompleted || got.Stopped != "" {
			t.Errorf("it is %s, %q", got.State, got.Stopped)
		}
	})
}
