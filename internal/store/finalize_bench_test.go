package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

const finalizeLease = 30 * time.Second

// withFinalSteps registers a transfer of one file step, that many files and final
// steps called a, b, c ….
func (b *env) withFinalSteps(t *testing.T, files, steps int) tasks.Transfer {
	t.Helper()
	n := NewTransfer{
		Name: "test", Via: tasks.ViaBulk, Queue: "baler", Recipe: "steps: []", Webhooks: []string{"https://hook"},
		Steps: []tasks.StepProgress{{Number: 1, Name: "step-1", Handler: "noop"}},
	}
	for i := range steps {
		name := string(rune('a' + i))
		n.Finalizers = append(n.Finalizers, tasks.FinalizeStep{Number: i + 1, Name: name, Handler: "close-" + name})
	}
	tr, _, err := b.Create(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	b.files(t, tr.ID, files)
	return tr
}

// finalizing has all files of a transfer end, so that it comes to its final steps.
func (b *env) finalizing(t *testing.T, files, steps int) tasks.Transfer {
	t.Helper()
	tr := b.withFinalSteps(t, files, steps)
	b.end(t, tr, fmt.Sprintf("1-%d", files), tasks.OutcomeSucceeded)
	if _, err := b.Seal(t.Context(), tr.ID); err != nil {
		t.Fatal(err)
	}
	return tr
}

func (b *env) end(t *testing.T, tr tasks.Transfer, files string, outcome tasks.Outcome) {
	t.Helper()
	batch := b.batch(t, tr.ID, files)
	b.record(t, &ledger.BatchCompletion{Batch: batch, Results: results(batch, outcome, slices.Collect(batch.Files.All())...), FollowUp: finishing(batch)})
}

// due lists the steps that a worker with every handler may claim.
func (b *env) dueClosing(t *testing.T) []ledger.FinalizeTask {
	t.Helper()
	due, err := b.DueFinalizeSteps(t.Context(), ledger.FinalizeQuery{Handlers: []string{"close-a", "close-b", "close-c"}, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return due
}

// take takes the only step that is due, which must be of that number.
func (b *env) take(t *testing.T, no int) *ledger.FinalizeTask {
	t.Helper()
	due := b.dueClosing(t)
	if len(due) != 1 || due[0].No != no {
		t.Fatalf("due are %+v, want step %d", due, no)
	}
	if taken, err := b.ClaimFinalizeStep(t.Context(), &due[0], finalizeLease); err != nil || !taken {
		t.Fatalf("taken %v, %v", taken, err)
	}
	return &due[0]
}

func (b *env) endClosing(t *testing.T, c *ledger.FinalizeTask, state tasks.FinalizeState, reason string) (completed bool) {
	t.Helper()
	completed, err := b.FinishFinalizeStep(t.Context(), c, ledger.FinalizeOutcome{State: state, Reason: reason, Again: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return completed
}

// states are those of a transfer and its final steps.
func (b *env) states(t *testing.T, tr tasks.Transfer) string {
	t.Helper()
	read := b.read(t, tr.ID)
	words := []string{string(read.State)}
	for _, s := range read.Finalizers {
		word := fmt.Sprintf("%s:%s/%d", s.Name, s.State, s.Attempts)
		if s.Error != "" {
			word += "(" + s.Error + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func (b *env) wantStates(t *testing.T, tr tasks.Transfer, want string) {
	t.Helper()
	if got := b.states(t, tr); got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
}

// wantNotes checks how many messages about a transfer's end there are.
func (b *env) wantNotes(t *testing.T, tr tasks.Transfer, want int64) {
	t.Helper()
	if n := b.count(t, "webhook_deliveries", "transfer_id = ?", tr.ID); n != want {
		t.Errorf("%d messages about its end, want %d", n, want)
	}
}
