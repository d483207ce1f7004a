package store

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// failedAt is when the result of a file ends; the later its number, the earlier.
func failedAt(file int64) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 120_000, time.UTC).Add(-time.Duration(file) * time.Second)
}

// failSome records results of n files at step 1, of which every hundredth fails, in turn
// for two reasons.
func failSome(t *testing.T, b *env, n int) tasks.Transfer {
	t.Helper()
	tr := b.transfer(t, 2)
	b.files(t, tr.ID, n)
	one := b.batch(t, tr.ID, fmt.Sprintf("1-%d", n))
	var rs []tasks.Result
	for no := int64(1); no <= int64(n); no++ {
		r := results(one, tasks.OutcomeSucceeded, no)[0]
		r.EndedAt = failedAt(no)
		switch {
		case no%200 == 0:
			r.Outcome, r.Code, r.Error = tasks.OutcomeFailed, "damaged", fmt.Sprintf("strip %d of /data/%d.tif is damaged", no, no)
		case no%100 == 0:
			r.Outcome, r.Error = tasks.OutcomeError, fmt.Sprintf("open /data/%d.tif: no space left on device", no)
		}
		rs = append(rs, r)
	}
	b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs, FollowUp: finishing(one)})
	return tr
}

func TestFailuresAreCountedByKind(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := failSome(t, b, 1000)
		other := failSome(t, b, 300)
		groups, err := b.FailureGroups(t.Context(), tr.ID, tasks.ResultSelector{}, 10)
		want := []tasks.FailureGroup{
			{Step: 1, Outcome: tasks.OutcomeError, Message: "open …: no space left on device", Files: 5, Example: 100, Path: "/data/000099",
				First: failedAt(900), Last: failedAt(100)},
			{Step: 1, Outcome: tasks.OutcomeFailed, Code: "damaged", Message: "strip … of … is damaged", Files: 5, Example: 200, Path: "/data/000199",
				First: failedAt(1000), Last: failedAt(200)},
		}
		if err != nil || fmt.Sprint(groups) != fmt.Sprint(want) {
			t.Errorf("%v: %+v, want %+v", err, groups, want)
		}
		failed := tasks.ResultSelector{Step: 1, Outcomes: []tasks.Outcome{tasks.OutcomeFailed}}
		if groups, err := b.FailureGroups(t.Context(), tr.ID, failed, 10); err != nil || len(groups) != 1 || groups[0].Code != "damaged" {
			t.Errorf("%v: %+v of those that failed", err, groups)
		}
		if groups, err := b.FailureGroups(t.Context(), tr.ID, tasks.ResultSelector{}, 1); err != nil || len(groups) != 1 {
			t.Errorf("%v: %d groups, want the first", err, len(groups))
		}

		of := tasks.ResultSelector{Code: "damaged", Message: "strip … of … is damaged"}
		for _, f := range []tasks.ResultSelector{of, {Code: of.Code}, {Message: of.Message}, {Message: of.Message, Outcomes: tasks.Outcomes()}} {
			rows, err := b.Results(t.Context(), tr.ID, f, tasks.ResultKey{}, 100)
			if err != nil || len(rows) != 5 || rows[0].File != 200 {
				t.Errorf("%v: %d results of %+v, want 5", err, len(rows), f)
			}
		}
		for _, f := range []tasks.ResultSelector{{Code: "damage"}, {Message: "strip"}, {Message: of.Message, Outcomes: []tasks.Outcome{tasks.OutcomeCanceled}}} {
			if rows, err := b.Results(t.Context(), tr.ID, f, tasks.ResultKey{}, 100); err != nil || len(rows) != 0 {
				t.Errorf("%v: %d results of %+v, want none", err, len(rows), f)
			}
		}

		done, err := b.RetryFiles(t.Context(), RetryRequest{
			Transfer: tr.ID, Filter: of, Limit: 100, StopsRecipe: func(int, tasks.Outcome) bool { return true },
			Cut: func(step int, files []tasks.File) []tasks.Batch {
				var batches []tasks.Batch
				for i := range files {
					batches = append(batches, newBatch(t, tr.ID, step, strconv.FormatInt(files[i].No, 10)))
				}
				return batches
			},
		})
		if err != nil || done.Files != 5 {
			t.Errorf("%v: %d files run again, want 5", err, done.Files)
		}
		groups, err = b.FailureGroups(t.Context(), tr.ID, tasks.ResultSelector{}, 10)
		if err != nil || len(groups) != 1 || groups[0].Outcome != tasks.OutcomeError {
			t.Errorf("%v: %+v remain after the retry", err, groups)
		}
		if groups, err := b.FailureGroups(t.Context(), other.ID, tasks.ResultSelector{}, 10); err != nil || len(groups) != 2 {
			t.Errorf("%v: %d groups of the other transfer, want 2", err, len(groups))
		}
	})
}

// The few failures of a transfer are found without reading the good results between them.
func TestFailuresAreFoundWithoutReadingTheRest(t *testing.T) {
	t.Parallel()
	b := emptyEnv(t, db.MySQL)
	_, err := b.Migrate(t.Context())
	testkit.Must(t, err)
	tr := failSome(t, b, 3000)
	alone := b.another(t, db.Options{MaxConnections: 1})
	reads := func() (n int) {
		var rows []struct {
			VariableName string
			Value        int
		}
		testkit.Must(t, alone.DB().Session(t.Context()).Raw("SHOW SESSION STATUS LIKE 'Handler_read%'").Scan(&rows).Error)
		for _, r := range rows {
			n += r.Value
		}
		return n
	}
	failures := []tasks.Outcome{tasks.OutcomeFailed, tasks.OutcomeError, tasks.OutcomeTimedOut}
	for name, do := range map[string]func() (int, error){
		"results": func() (int, error) {
			rows, err := alone.Results(t.Context(), tr.ID, tasks.ResultSelector{Outcomes: failures}, tasks.ResultKey{}, 1000)
			return len(rows), err
		},
		"a later page": func() (int, error) {
			rows, err := alone.Results(t.Context(), tr.ID, tasks.ResultSelector{Outcomes: failures}, tasks.ResultKey{Step: 1, File: 10}, 30)
			return len(rows), err
		},
		"results that there are none of": func() (int, error) {
			rows, err := alone.Results(t.Context(), tr.ID, tasks.ResultSelector{Outcomes: []tasks.Outcome{tasks.OutcomeSkipped}}, tasks.ResultKey{}, 10)
			return len(rows) + 30, err
		},
		"one file": func() (int, error) {
			rows, err := alone.Results(t.Context(), tr.ID, tasks.ResultSelector{File: 2000}, tasks.ResultKey{}, 1000)
			return len(rows) + 29, err
		},
		"groups": func() (int, error) {
			groups, err := alone.FailureGroups(t.Context(), tr.ID, tasks.ResultSelector{}, 10)
			return len(groups) + 28, err
		},
		"files to try again": func() (int, error) {
			numbers := make([]int64, 3000)
			for i := range numbers {
				numbers[i] = int64(i) + 1
			}
			failed, err := alone.FailedFiles(t.Context(), map[int64][]int64{tr.ID: numbers})
			return len(failed), err
		},
		"retry": func() (int, error) {
			request := RetryRequest{Transfer: tr.ID, Filter: tasks.ResultSelector{Outcomes: failures}, Limit: 1000}
			rows, err := request.firsts(alone.DB().Session(t.Context()))
			return len(rows), err
		},
	} {
		before := reads()
		n, err := do()
		if n != 30 || err != nil {
			t.Errorf("%s: %d found, want 30; %v", name, n, err)
		}
		if read := reads() - before; read > 300 {
			t.Errorf("%s: reads %d rows", name, read)
		}
	}
}

// A group without code and message is no wildcard.
func TestFailuresAreSelectedExactly(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 4)
		one := b.batch(t, tr.ID, "1-4")
		rs := results(one, tasks.OutcomeFailed, 1, 2, 3, 4)
		rs[1].Error, rs[2].Code = "broken", "x"
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: rs, FollowUp: finishing(one)})
		for want, f := range map[int]tasks.ResultSelector{4: {}, 2: {Exactly: true}, 1: {Exactly: true, Message: "broken"}} {
			rows, err := b.Results(t.Context(), tr.ID, f, tasks.ResultKey{}, 9)
			if err != nil || len(rows) != want {
				t.Errorf("%+v: %v, %d results, want %d", f, err, len(rows), want)
			}
		}
	})
}

// However many files have failed, the first ones of each step are counted, and no others are read.
func TestTheFirstFailuresAreCounted(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := failSome(t, b, 1000)
		failures := failuresAmong(nil)
		counts := func(f tasks.ResultSelector, counted int) string {
			t.Helper()
			var text strings.Builder
			groups, err := b.failureGroups(t.Context(), tr.ID, f, 10, counted)
			testkit.Must(t, err)
			for _, g := range groups {
				fmt.Fprintf(&text, "%s %d from %d, ", g.Outcome, g.Files, g.Example)
			}
			return text.String()
		}
		for _, c := range []struct {
			filter  tasks.ResultSelector
			counted int
			want    string
		}{
			{tasks.ResultSelector{}, 10, "error 5 from 100, failed 5 from 200, "},
			{tasks.ResultSelector{}, 3, "error 2 from 100, failed 1 from 200, "},
			{tasks.ResultSelector{Outcomes: failures}, 3, "error 2 from 100, failed 1 from 200, "},
			{tasks.ResultSelector{Step: 1, Outcomes: failures[1:]}, 3, "error 2 from 100, "},
			{tasks.ResultSelector{Code: "damaged"}, 3, "failed 1 from 200, "},
			{tasks.ResultSelector{Step: 1, Outcomes: []tasks.Outcome{tasks.OutcomeFailed}}, 1, ""},
			{tasks.ResultSelector{File: 800}, 1, "failed 1 from 800, "},
			{tasks.ResultSelector{Step: 2}, 10, ""},
		} {
			if got := counts(c.filter, c.counted); got != c.want {
				t.Errorf("%+v of the first %d: %q, want %q", c.filter, c.counted, got, c.want)
			}
		}
	})
}

// What differs in outcome, code or message is of another kind, also when the texts run on alike.
func TestKindsDoNotRunTogether(t *testing.T) {
	t.Parallel()
	seen := make(map[int64]bool)
	all := []failureRow{
		{Outcome: tasks.OutcomeFailed}, {Outcome: tasks.OutcomeError}, {Outcome: tasks.OutcomeFailed, Code: "ab"}, {Outcome: tasks.OutcomeFailed, Message: "ab"},
		{Outcome: tasks.OutcomeFailed, Code: "a", Message: "b"}, {Outcome: tasks.OutcomeFailed, Code: "a", Message: "\x01b"},
		{Outcome: tasks.OutcomeFailed, Code: "a\x01b"}, {Outcome: "failedab"},
	}
	for i := range all {
		seen[kindOf(all[i].Outcome, all[i].Code, all[i].Message)] = true
	}
	if len(seen) != len(all) {
		t.Errorf("%d kinds of %d", len(seen), len(all))
	}
	first, second := kindOf(tasks.OutcomeFailed, "a", "b"), kindOf(tasks.OutcomeFailed, "a", "b")
	if first != second {
		t.Error("equal failures are of different kinds")
	}
}
