package store

import (
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
		for _, tt := range []struct {
			parent int64
			step   int
			folder string
			want   bool
		}{
			{1, one.Step, "/out/1", true},
			{1, one.Step, "/out", true},
			{1, one.Step, "/out/1/m", false}, // begins alike
			{1, one.Step, "/ou", false},
			{1, one.Step, "/out/2", false},
			{2, one.Step, "/out/1", false},
			{1, one.Step + 1, "/out/1", false},
		} {
			got, err := b.EmittedIn(t.Context(), tr.ID, tt.parent, tt.step, tt.folder)
			testkit.Must(t, err)
			if got != tt.want {
				t.Errorf("%+v: %v", tt, got)
			}
		}
	})
}
