package store

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestEmittedIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 2)
		one := b.batch(t, tr.ID, "1-2")
		testkit.Must(t, b.commit(t, tr.ID, 0, 2))
		b.record(t, &ledger.BatchCompletion{
			Batch: one, Results: []tasks.Result{emitting(one, 1, 10, 20), results(one, tasks.OutcomeSucceeded, 2)[0]}, FollowUp: finishing(one),
		})
		folders := make(map[ledger.EmittedFolder]bool)
		for i := range 2 * foldersPerQuery { // several queries
			folders[ledger.EmittedFolder{File: 1, Path: fmt.Sprintf("/none/%d", i)}] = false
		}
		maps.Copy(folders, map[ledger.EmittedFolder]bool{
			{File: 1, Path: "/out/1"}:   true,
			{File: 1, Path: "/out"}:     true,
			{File: 1, Path: "/out/1/m"}: false, // begins alike
			{File: 1, Path: "/ou"}:      false,
			{File: 1, Path: "/out/2"}:   false,
			{File: 2, Path: "/out/1"}:   false,
		})
		got, err := b.EmittedIn(t.Context(), tr.ID, one.Step, slices.Collect(maps.Keys(folders)))
		testkit.Must(t, err)
		if !maps.Equal(got, folders) {
			t.Errorf("got %v", got)
		}
		of := ledger.EmittedFolder{File: 1, Path: "/out/1"}
		for _, other := range []struct {
			transfer int64
			step     int
		}{{tr.ID, one.Step + 1}, {tr.ID + 1, one.Step}} {
			got, err := b.EmittedIn(t.Context(), other.transfer, other.step, []ledger.EmittedFolder{of})
			testkit.Must(t, err)
			if got[of] {
				t.Errorf("%+v has the files of another one", other)
			}
		}
		bases, err := b.EmissionBases(t.Context(), tr.ID, one.Step, tasks.NewRanges([]int64{1, 2}))
		testkit.Must(t, err)
		if len(bases) != 1 || !slices.Equal(bases[1], []string{"/out"}) {
			t.Errorf("the folders are %v", bases)
		}
		for parents, step := range map[int64]int{2: one.Step, 1: one.Step + 1} {
			if bases, err = b.EmissionBases(t.Context(), tr.ID, step, tasks.NewRanges([]int64{parents})); err != nil || len(bases) != 0 {
				t.Errorf("of file %d at step %d: %v, %v", parents, step, bases, err)
			}
		}
	})
}
