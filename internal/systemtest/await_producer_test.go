package systemtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A second submission with the same key must not take a transfer from a live producer, and
// must take it from a dead one.
func TestAwaitProducer(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		clock := testkit.NewClock()
		b, err := baler.Open(t.Context(), c, baler.Options{Registry: builtin.Registry(), Now: clock.Now})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, b)
		producer, err := store.Open(t.Context(), c.Database.URL, store.Options{Now: clock.Now})
		testkit.Must(t, err)
		testkit.CloseAtEnd(t, producer)
		root := t.TempDir()
		testkit.WriteTree(t, root, "a", "b")
		died, stop := context.WithCancel(t.Context())
		dead, created, err := b.Submit(died, baler.Submission{
			Paths: []string{root}, Recipe: builtinRecipe(t, "noop"), OnCreated: func(tasks.Transfer) { stop() },
		})
		if err == nil || !created {
			t.Fatalf("submit: created %v, %v; want an interrupted submission", created, err)
		}

		asked := 0
		_, err = b.AwaitProducer(t.Context(), dead, func(time.Time) {
			asked++
			clock.Advance(5 * time.Second)
			if err := producer.HeartbeatTransfer(t.Context(), dead.ID); err != nil {
				t.Error(err)
			}
		})
		if !errors.Is(err, baler.ErrProducerAlive) || asked != 1 {
			t.Errorf("a producer that is alive: %v, %d calls", err, asked)
		}
		clock.Advance(10 * time.Second)
		got, err := b.AwaitProducer(t.Context(), dead, func(until time.Time) {
			if left := until.Sub(clock.Now()).Round(time.Second); left != 20*time.Second {
				t.Errorf("waits for %s, want the rest of 30 s", left)
			}
			clock.Advance(21 * time.Second)
		})
		if err != nil || got.State != tasks.StateOpen {
			t.Fatalf("a silent producer: %s, %v", got.State, err)
		}
		if got, err = b.ResumeSubmit(t.Context(), got, nil); err != nil || got.Files != 2 {
			t.Errorf("resumed with %d files, %v", got.Files, err)
		}
		never := func(time.Time) { t.Error("waits for the producer of a sealed transfer") }
		if got, err = b.AwaitProducer(t.Context(), dead, never); err != nil || got.State == tasks.StateOpen {
			t.Errorf("sealed: %s, %v", got.State, err)
		}
	})
}
