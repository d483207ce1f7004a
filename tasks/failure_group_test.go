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
