package store

import (
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestLiveWork(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := failSome(t, b, 1000)
		tr, err := b.Transfer(t.Context(), tr.UUID)
		testkit.Must(t, err)
		other := b.batch(t, tr.ID, "1-5")
		testkit.Must(t, b.HoldBatches(t.Context(), "host-1", []tasks.Batch{*other}))
		a, err := b.LiveWork(t.Context(), &tr, 3)
		testkit.Must(t, err)
		if len(a.Running) != 1 || a.Running[0] != (tasks.RunningBatches{Worker: "host-1", Step: tr.Steps[0].Name, Batches: 1}) {
			t.Errorf("running: %+v", a.Running)
		}
		two, three := b.batch(t, tr.ID, "6-9"), b.batch(t, tr.ID, "10-12")
		testkit.Must(t, b.HoldBatches(t.Context(), "host-0", []tasks.Batch{*two}))
		testkit.Must(t, b.HoldBatches(t.Context(), "host-1", []tasks.Batch{*three}))
		more, err := b.LiveWork(t.Context(), &tr, 3)
		testkit.Must(t, err)
		if len(more.Running) != 2 || more.Running[0].Worker != "host-0" || more.Running[0].Batches != 1 ||
			more.Running[1].Worker != "host-1" || more.Running[1].Batches != 2 {
			t.Errorf("running on two workers: %+v", more.Running)
		}
		// The files with the highest numbers, of which that with the lowest has ended last.
		for i, want := range []int64{800, 900, 1000} {
			if len(a.Failures) != 3 || a.Failures[i].File != want || !a.Failures[i].EndedAt.Equal(failedAt(want)) || a.Failures[i].Path == "" {
				t.Fatalf("failures: %+v", a.Failures)
			}
		}
	})
}
