package systemtest

import (
	"context"
	"errors"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// When only another worker has the handler of a step, a run ends after that worker has
// stopped. The next run continues once the worker is back.
func TestRunEndsWhenNoWorkerHasTheHandler(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		b := open(t, c, nil)
		s := baler.Submission{
			Paths: []string{testkit.NumberedTree(t, 7)}, Via: tasks.ViaBulk,
			Recipe: yaml(t, "name: t\nsteps: [{handler: checksum}, {handler: shout}]"),
		}
		ctx, cancel := context.WithTimeout(t.Context(), hung)
		defer cancel()
		_, err := b.Run(ctx, s)
		alone, ok := errors.AsType[*baler.UnattendedError](err)
		if !ok || alone.Waiting != "a worker with the handler shout: no live worker has it" {
			t.Fatalf("it ended with %v", err)
		}
		read, err := b.Transfer(t.Context(), alone.Transfer)
		testkit.Must(t, err)
		if read.State != tasks.StateRunning || read.Steps[0].Succeeded != 7 {
			t.Errorf("it left %+v", read)
		}

		if c.Redis.URL == "embedded" {
			return // no other process can take its batches
		}
		c.Worker.Name = "other"
		other := open(t, c, register(t, "shout", func(context.Context, *handlers.Job) error { return nil }))
		work(t, other)
		ran, err := b.Run(ctx, s)
		testkit.Must(t, err)
		if !ran.Resumed || ran.Transfer.UUID != alone.Transfer {
			t.Errorf("the next run resumed %v, transfer %s instead of %s", ran.Resumed, ran.Transfer.UUID, alone.Transfer)
		}
		audit(t, b, ran.Transfer)
	})
}
