package tasks_test

import (
	"strings"
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestStopAfterIsReached(t *testing.T) {
	t.Parallel()
	step := func(failed, succeeded int64) tasks.StepProgress {
		return tasks.StepProgress{Name: "look", Counts: tasks.Counts{Failed: failed, Succeeded: succeeded}}
	}
	for _, c := range []struct {
		limit string
		steps []tasks.StepProgress
		want  string
	}{
		{"5%", []tasks.StepProgress{step(1, 0)}, ""}, // the first file of all
		{"5%", []tasks.StepProgress{step(5, 0)}, ""}, // fewer than 100 results count as 100
		{"5%", []tasks.StepProgress{step(6, 0)}, "6 of 6 results of step look are failures, and it stops after 5%"},
		{"5%", []tasks.StepProgress{step(5, 95)}, ""}, // not more than 5%
		{"5%", []tasks.StepProgress{step(6, 94)}, "6 of 100 results of step look are failures, and it stops after 5%"},
		{"5%", []tasks.StepProgress{step(50, 950)}, ""},
		{"5%", []tasks.StepProgress{step(51, 949)}, "51 of 1000 "},
		{"0.5%", []tasks.StepProgress{step(1, 99)}, ""}, // one failure stops nothing
		{"0.5%", []tasks.StepProgress{step(2, 98)}, "2 of 100 "},
		{"5%", []tasks.StepProgress{step(0, 1000), step(6, 0)}, "6 of 6 "}, // each step for itself
		{"5%", []tasks.StepProgress{step(4, 0), step(4, 0)}, ""},
		{"3", []tasks.StepProgress{step(2, 0)}, ""},
		{"3", []tasks.StepProgress{step(2, 0), step(1, 9)}, "3 results are failures, and it stops after 3"}, // all steps together
		{"1", []tasks.StepProgress{step(1, 0)}, "1 result is a failure, and it stops after 1"},
		{"none", []tasks.StepProgress{step(1e9, 0)}, ""},
	} {
		limit, err := tasks.ParseStopAfter(c.limit)
		if err != nil || limit.String() != c.limit {
			t.Errorf("%q reads as %v, %v", c.limit, limit, err)
		}
		if got := limit.Reached(c.steps); c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s with %+v: %q, want %q", c.limit, c.steps, got, c.want)
		}
	}
	for _, bad := range []string{"0", "-1", "0%", "100%", "NaN%", "5 files", "1e-300%", "%", "5.5", " 5"} {
		if s, err := tasks.ParseStopAfter(bad); err == nil || !strings.Contains(err.Error(), "5%, a number of failures such as 100, or none") {
			t.Errorf("%q reads as %v, %v", bad, s, err)
		}
	}
}
