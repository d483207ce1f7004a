package store

import (
	"slices"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestWorkers(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		see := func(name string) {
			t.Helper()
			w := tasks.Worker{Name: name, Handlers: []string{"noop", "checksum"}, Slots: 4, Version: "1.2", StartedAt: b.clock.Now(), Queues: []string{"a b", "low"}}
			if _, err := b.HeartbeatWorker(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
		names := func() (all []string) {
			ws, err := b.Workers(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range ws {
				if w.Slots != 4 || !slices.Equal(w.Handlers, []string{"noop", "checksum"}) || w.Version != "1.2" {
					t.Errorf("%+v", w)
				}
				all = append(all, w.Name)
			}
			return all
		}
		see("two")
		see("one")
		see("one")
		if got := names(); !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("workers %v", got)
		}
		b.clock.Advance(workerTTL)
		see("two")
		b.clock.Advance(time.Second)
		if got := names(); !slices.Equal(got, []string{"two"}) {
			t.Errorf("workers %v", got)
		}
		if err := b.RemoveWorker(t.Context(), "two"); err != nil {
			t.Fatal(err)
		}
		if got := names(); len(got) > 0 {
			t.Errorf("workers %v", got)
		}
	})
}
