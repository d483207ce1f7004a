package store

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestWorkers(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		see := func(name string) {
			t.Helper()
			w := tasks.Worker{Name: name, Handlers: []string{"noop", "checksum"}, Slots: 4, Version: "1.2", StartedAt: b.clock.Now(), Queues: []string{"a b", "low"}}
			if _, err := b.HeartbeatWorker(t.Context(), w, "i"); err != nil {
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
		if err := b.RemoveWorker(t.Context(), "two", "another"); err != nil || len(names()) != 1 {
			t.Fatalf("removed by another process: %v", err)
		}
		if err := b.RemoveWorker(t.Context(), "two", "i"); err != nil {
			t.Fatal(err)
		}
		if got := names(); len(got) > 0 {
			t.Errorf("workers %v", got)
		}
	})
}

// Two processes of one name: the second is refused while the first lives.
func TestWorkersOfOneName(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		beat := func(instance string) error {
			_, err := b.HeartbeatWorker(t.Context(), tasks.Worker{Name: "w", StartedAt: b.clock.Now()}, instance)
			return err
		}
		refused := func(instance string) {
			t.Helper()
			var exists *WorkerExistsError
			if err := beat(instance); !errors.As(err, &exists) || !exists.SeenAt.Equal(b.clock.Now()) || !strings.Contains(err.Error(), `"w"`) {
				t.Errorf("the process %s got %v", instance, err)
			}
		}
		if err := beat("one"); err != nil {
			t.Fatal(err)
		}
		if known, err := b.SetDesiredState(t.Context(), "w", tasks.WorkerPaused); err != nil || !known {
			t.Fatal(known, err)
		}
		refused("two")
		if err := b.RemoveWorker(t.Context(), "w", "two"); err != nil {
			t.Fatal(err)
		}
		if ws, err := b.Workers(t.Context()); err != nil || len(ws) != 1 {
			t.Errorf("after the second has gone there are %+v, %v", ws, err)
		}
		seen := b.clock.Now()
		b.clock.Advance(time.Second)
		if err := beat("one"); err != nil {
			t.Error(err)
		}
		if err := b.RemoveSilentWorker(t.Context(), "w", seen); err != nil {
			t.Error(err)
		}
		refused("two") // it was not silent
		b.clock.Advance(workerTTL + time.Second)
		o, err := b.HeartbeatWorker(t.Context(), tasks.Worker{Name: "w", StartedAt: b.clock.Now()}, "two")
		if err != nil || o.State != tasks.WorkerRunning {
			t.Errorf("the name of a dead worker: %+v, %v", o, err)
		}
		refused("one") // it was only frozen
	})
}
