package store

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

func TestResultsInPages(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		const n = 150
		tr := b.transfer(t, 3)
		b.files(t, tr.ID, n)
		outcomes := tasks.Outcomes()
		for step := 1; step <= 3; step++ {
			one := b.batchAt(t, tr.ID, step, fmt.Sprintf("1-%d", n))
			var rs []tasks.Result
			for _, f := range rand.Perm(n) {
				rs = append(rs, results(one, outcomes[(f+step)%len(outcomes)], int64(f)+1)...)
			}
			b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs, FollowUp: finishing(one)})
		}
		other := b.transfer(t, 1)
		b.files(t, other.ID, 1)
		one := b.batch(t, other.ID, "1")
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: results(one, tasks.OutcomeFailed, 1)})

		for _, f := range []tasks.ResultSelector{
			{}, {Step: 2}, {File: 17}, {Outcomes: []tasks.Outcome{tasks.OutcomeTimedOut, tasks.OutcomeCanceled}},
			{Outcomes: []tasks.Outcome{tasks.OutcomeFailed}, File: 17}, {Step: 2, Outcomes: []tasks.Outcome{tasks.OutcomeTimedOut}}, {Step: 3, File: 150}, {Outcomes: []tasks.Outcome{tasks.OutcomeFailed, tasks.OutcomeError}},
			{Step: 1, Outcomes: []tasks.Outcome{tasks.OutcomeSkipped}}, {Step: 9},
		} {
			var want, got []tasks.ResultKey
			for step := 1; step <= 3; step++ {
				for no := int64(1); no <= n; no++ {
					o := outcomes[(int(no)-1+step)%len(outcomes)]
					if (f.Step == 0 || f.Step == step) && (f.File == 0 || f.File == no) && (f.Outcomes == nil || slices.Contains(f.Outcomes, o)) {
						want = append(want, tasks.ResultKey{Step: step, File: no})
					}
				}
			}
			after := tasks.ResultKey{}
			for {
				page, err := b.Results(t.Context(), tr.ID, f, after, 37)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				for _, l := range page {
					after = tasks.ResultKey{Step: l.Step, File: l.File}
					got = append(got, after)
					if l.Path != fmt.Sprintf("/data/%06d", l.File-1) {
						t.Errorf("file %d has path %q", l.File, l.Path)
					}
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v: %d results, want %d", f, len(got), len(want))
			}
		}
	})
}

func TestFactsOfEarlierSteps(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 3)
		b.files(t, tr.ID, 3)
		for step, facts := range []string{`{"a":1,"b":"x"}`, `{"b":"y"}`, `{"c":true}`} {
			one := b.batchAt(t, tr.ID, step+1, "1-3")
			rs := results(one, tasks.OutcomeSucceeded, 1, 2)
			rs[0].Facts = []byte(facts)
			b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs})
		}
		known, err := b.Facts(t.Context(), tr.ID, 3, tasks.Ranges{{First: 1, Last: 3}})
		if err != nil || fmt.Sprint(known) != "map[1:map[a:1 b:y]]" {
			t.Errorf("facts before step 3: %v, %v", known, err)
		}
		recorded, err := b.Recorded(t.Context(), tr.ID, 3, tasks.Ranges{{First: 1, Last: 3}})
		if err != nil || len(recorded) != 2 || recorded[0].File != 1 || fmt.Sprint(recorded[0].Facts) != "map[c:true]" || recorded[1].Facts != nil {
			t.Errorf("recorded: %+v, %v", recorded, err)
		}
	})
}
