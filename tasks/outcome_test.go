package tasks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestOutcomes(t *testing.T) {
	for o, want := range map[tasks.Outcome]struct{ bad, stops, retriable bool }{
		tasks.OutcomeSucceeded: {false, false, false},
		tasks.OutcomeWarning:   {false, false, false},
		tasks.OutcomeSkipped:   {false, false, false},
		tasks.OutcomeFailed:    {true, true, false},
		tasks.OutcomeError:     {true, true, true},
		tasks.OutcomeTimedOut:  {true, true, true},
		tasks.OutcomeCanceled:  {false, true, false},
	} {
		if o.IsFailure() != want.bad || o.StopsRecipe() != want.stops || o.Retriable() != want.retriable {
			t.Errorf("%s: bad %v, stops %v, retriable %v; want %+v", o, o.IsFailure(), o.StopsRecipe(), o.Retriable(), want)
		}
		if got, err := tasks.ParseOutcome(string(o)); err != nil || got != o {
			t.Errorf("%s reads as %q, %v", o, got, err)
		}
	}
	if n := len(tasks.Outcomes()); n != 7 {
		t.Errorf("%d outcomes", n)
	}
	for _, s := range []string{"", "Failed", "ok"} {
		if o, err := tasks.ParseOutcome(s); err == nil || o != "" || !strings.Contains(err.Error(), "timed_out") {
			t.Errorf("%q reads as %q; the error %v should list the outcomes", s, o, err)
		}
	}
}

func TestCountsLoseNoFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		known := rapid.SampledFrom(tasks.Outcomes())
		anything := rapid.OneOf(known, rapid.Just(tasks.Outcome("unheard of")), rapid.Just(tasks.Outcome("")))
		var halves [2]tasks.Counts
		want := map[tasks.Outcome]int64{}
		var total int64
		for range rapid.IntRange(0, 30).Draw(t, "adds") {
			o, n := anything.Draw(t, "outcome"), rapid.Int64Range(0, 9).Draw(t, "n")
			halves[rapid.IntRange(0, 1).Draw(t, "half")].Add(o, n)
			if !o.Valid() {
				o = tasks.OutcomeError
			}
			want[o] += n
			total += n
		}
		c := halves[0]
		c.Sum(halves[1])
		var bad int64
		for _, o := range tasks.Outcomes() {
			if c.Get(o) != want[o] {
				t.Errorf("%d of %s, want %d", c.Get(o), o, want[o])
			}
			if o.IsFailure() {
				bad += want[o]
			}
		}
		if c.Total() != total || c.Failures() != bad {
			t.Errorf("total %d, bad %d; want %d, %d", c.Total(), c.Failures(), total, bad)
		}
	})
}

// The JSON names are the outcomes themselves, all of them, zeros included.
func TestCountsAsJSON(t *testing.T) {
	var c tasks.Counts
	for i, o := range tasks.Outcomes() {
		c.Add(o, int64(i))
	}
	data, err := json.Marshal(c)
	testkit.Must(t, err)
	var got map[tasks.Outcome]int64
	testkit.Must(t, json.Unmarshal(data, &got))
	if len(got) != len(tasks.Outcomes()) {
		t.Errorf("written as %s", data)
	}
	for i, o := range tasks.Outcomes() {
		if got[o] != int64(i) {
			t.Errorf("%s is written as %d, want %d", o, got[o], i)
		}
	}
}

func TestTotalsAddUpTheSteps(t *testing.T) {
	tr := tasks.Transfer{Steps: []tasks.StepProgress{
		{Counts: tasks.Counts{Succeeded: 3, Failed: 1}},
		{Counts: tasks.Counts{Succeeded: 2, TimedOut: 4}},
	}}
	if got, want := tr.Totals(), (tasks.Counts{Succeeded: 5, Failed: 1, TimedOut: 4}); got != want {
		t.Errorf("totals %+v, want %+v", got, want)
	}
}
