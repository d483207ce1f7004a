package tasks_test

import (
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestCountsAllFailures(t *testing.T) {
	t.Parallel()
	few, many := tasks.Counts{Failed: tasks.MaxCountedFailures}, tasks.Counts{Failed: tasks.MaxCountedFailures, TimedOut: 1}
	tr := tasks.Transfer{Steps: []tasks.StepProgress{{Number: 1, Counts: few}, {Number: 2, Counts: few}}}
	if !tr.CountsAllFailures(0) {
		t.Error("not all failures are counted, though no step has too many")
	}
	tr.Steps[1].Counts = many
	if tr.CountsAllFailures(0) || !tr.CountsAllFailures(1) || tr.CountsAllFailures(2) {
		t.Error("step 2 has too many failures, and no other")
	}
}

func TestAGroupHasAName(t *testing.T) {
	t.Parallel()
	seen := make(map[string]tasks.FailureGroup)
	for _, g := range []tasks.FailureGroup{
		{Step: 1, Outcome: tasks.OutcomeFailed}, {Step: 2, Outcome: tasks.OutcomeFailed}, {Step: 1, Outcome: tasks.OutcomeError},
		{Step: 1, Outcome: tasks.OutcomeFailed, Code: "a"}, {Step: 1, Outcome: tasks.OutcomeFailed, Message: "a"},
		{Step: 1, Outcome: tasks.OutcomeFailed, Code: "a,1:b", Message: "c"}, {Step: 1, Outcome: tasks.OutcomeFailed, Code: "a", Message: "b,1:c"},
	} {
		id := g.ID()
		if other, taken := seen[id]; taken || len(id) != 8 {
			t.Errorf("%+v and %+v have the name %q", g, other, id)
		}
		seen[id] = g
		g.Files, g.Example, g.Path = 9, 8, "/x"
		if g.ID() != id {
			t.Errorf("the name of %+v depends on its files", g)
		}
	}
}
