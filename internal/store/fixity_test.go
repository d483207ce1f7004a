package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// ofSources makes a transfer that has ended belong to sources.
func (b *env) ofSources(t *testing.T, tr tasks.Transfer, key string) int64 {
	t.Helper()
	testkit.Must(t, b.db.Exec("UPDATE transfers SET sources_key = ? WHERE id = ?", key, tr.ID).Error)
	return tr.ID
}

// A transfer that a fixity run of the same sources compares with stays, whatever its own recipe.
func TestPrunableKeepsWhatFixityRunsCompareWith(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		old := b.ofSources(t, b.ended(t, "", 1, tasks.OutcomeSucceeded), "src")
		same := b.ofSources(t, b.ended(t, "", 1, tasks.OutcomeSucceeded), "src")
		run := b.ofSources(t, b.ended(t, "fix", 1, tasks.OutcomeSucceeded), "src") // the newest of its runs stays
		const seen, baseline = "UPDATE seen_files SET ", "baseline"
		for _, step := range []struct {
			when, then string
			want       []int64
		}{
			{"the run compares with none", "", []int64{old, same}},
			{"it has taken the file from the first", fmt.Sprintf(seen+"transfer_id = %d", old), []int64{old, same}},
			{"and compares with earlier transfers", baseline, []int64{same}},
			{"it is to compare with the first", fmt.Sprintf(seen+"transfer_id = %d, was_transfer_id = %d", run, old), []int64{same}},
			{"the file is missing", seen + "missing = 1", []int64{same}},
			{"and a person has accepted it", seen + "accepted = 1", []int64{old, same}},
			{"it is there", seen + "missing = 0", []int64{same}},
			{"the first is of other sources", fmt.Sprintf("UPDATE transfers SET sources_key = 'else' WHERE id = %d", old), []int64{old, same}},
		} {
			switch step.then {
			case "":
			case baseline:
				testkit.Must(t, b.NoteBaseline(t.Context(), run, b.clock.Now()))
			default:
				testkit.Must(t, b.db.Exec(step.then).Error)
			}
			found, err := b.Prunable(t.Context(), Prune{Before: b.clock.Now().Add(time.Hour)}, 0)
			testkit.Must(t, err)
			var ids []int64
			for i := range found {
				ids = append(ids, found[i].ID)
			}
			if !slices.Equal(ids, step.want) {
				t.Errorf("%s: %v, want %v", step.when, ids, step.want)
			}
		}
	})
}

// A fixity run compares with the transfers that have ended since the newest baseline, and some
// minutes before: one may have ended then and committed its end later.
func TestBaseline(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ended := func(runKey, sources string) int64 {
			return b.ofSources(t, b.ended(t, runKey, 1, tasks.OutcomeSucceeded), sources)
		}
		want := func(when string, want ...int64) Baseline {
			t.Helper()
			got, err := b.Baseline(t.Context(), "src", "fix")
			testkit.Must(t, err)
			if !slices.Equal(got.Transfers, want) {
				t.Errorf("%s: %v, want %v", when, got.Transfers, want)
			}
			return got
		}
		first := ended("", "src")
		ended("", "other")
		run := ended("fix", "src")
		b.ofSources(t, b.transfer(t, 1), "src") // it still runs
		b.clock.Advance(time.Hour)
		late := ended("", "src")
		b.clock.Advance(baselineOverlap / 2)
		at := want("before any baseline", first, late).At
		testkit.Must(t, b.NoteBaseline(t.Context(), run, at))
		want("at once", late)
		b.clock.Advance(time.Hour)
		last := ended("", "src")
		want("later", late, last)
		newer := ended("fix", "src")
		b.clock.Advance(time.Hour)
		testkit.Must(t, b.NoteBaseline(t.Context(), newer, b.clock.Now()))
		want("after the newer baseline")
	})
}

// A file that is read again is compared with what it was when it was read before, also when a run
// between has not compared it.
func TestRereadFilesAreComparedWithWhatTheyWere(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx, files := t.Context(), someFiles(2)
		register := func(files ...tasks.File) int64 {
			t.Helper()
			tr, _, err := b.Create(ctx, NewTransfer{RunKey: "c", Steps: []tasks.StepProgress{{Number: 1}}})
			testkit.Must(t, err)
			testkit.Must(t, b.AddFiles(ctx, FileBatch{Transfer: tr.ID, Files: files, RunKey: "c"}))
			return tr.ID
		}
		want := func(when string, transfer int64, want ...ledger.RereadFile) {
			t.Helper()
			got, err := b.RereadFiles(ctx, "c", transfer, 0, 10)
			testkit.Must(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %+v, want %+v", when, got, want)
			}
		}
		first := register(files[0])
		want("registered first", first)
		was := tasks.FileKey{Transfer: first, File: 1}
		second := register(files[1], files[0])
		want("registered again", second, ledger.RereadFile{No: 2, Was: was})
		third := register(files[0])
		want("and once more", third, ledger.RereadFile{No: 1, Was: was})
		want("in the transfer between", second)

		testkit.Must(t, b.Adopt(ctx, "c", second, files[:1])) // it is still to be compared
		want("adopted", third, ledger.RereadFile{No: 1, Was: was})

		one := tasks.NewRanges([]int64{1})
		testkit.Must(t, b.SettleReread(ctx, "c", third, one, nil))
		want("it is the same", third)
		fourth := register(files[0])
		was = tasks.FileKey{Transfer: third, File: 1}
		want("registered after that", fourth, ledger.RereadFile{No: 1, Was: was})
		testkit.Must(t, b.SettleReread(ctx, "c", fourth, nil, one))
		want("it is damaged", fourth)
		want("where it was", third)
		if n, err := b.CountDamaged(ctx, "c"); n != 1 || err != nil {
			t.Errorf("%d are damaged, %v", n, err)
		}
		testkit.Must(t, b.db.Exec("UPDATE seen_files SET accepted = 1 WHERE damaged = 1").Error)
		fifth := register(files[0])
		want("a person has accepted what it is", fifth)
	})
}
