package systemtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A deadline ends running handlers, with a code of its own, and a retry afterwards runs without
// it. A paused transfer ends at its deadline, too.
func TestDeadlineEndsWhatRuns(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 10
		begun, quick := make(chan struct{}, 100), make(chan struct{})
		reg := register(t, "endless", func(ctx context.Context, _ *handlers.Job) error {
			begun <- struct{}{}
			select {
			case <-quick:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		b := open(t, c, reg)
		work(t, b)
		recipe := yaml(t, "name: endless\nsteps: [{handler: endless, batch: {max_items: 10}}]\nfinally: [{handler: report}]")
		asked := baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk, Recipe: recipe}
		asked.Deadline = "1h"
		tr := submit(t, b, asked)
		if tr.DeadlineAt.IsZero() {
			t.Fatal("it has no deadline")
		}
		<-begun
		asked.Deadline = "2s"
		paused := submit(t, b, asked)
		if ok, err := b.Pause(t.Context(), paused); !ok || err != nil {
			t.Fatalf("pause: %v, %v", ok, err)
		}
		ok, err := b.Update(t.Context(), tr, tasks.TransferChange{Deadline: &tasks.Deadline{After: time.Second}})
		if !ok || err != nil {
			t.Fatalf("update: %v, %v", ok, err)
		}
		if paused = wait(t, b, paused.UUID); paused.State != tasks.StateCanceled || !paused.DeadlineExceeded {
			t.Errorf("the paused one is %s", paused.State)
		}
		testkit.Eventually(t, time.Minute, func() error {
			tr = wait(t, b, tr.UUID)
			if n := tr.Totals(); n.Canceled != files {
				return errors.New("not all files are canceled yet")
			}
			return nil
		})
		for l, err := range b.Results(t.Context(), tr, baler.ResultFilter{}) {
			testkit.Must(t, err)
			if l.Outcome != tasks.OutcomeCanceled || l.Code != handlers.CodeDeadlineExceeded {
				t.Errorf("file %d ended as %s with %s", l.File, l.Outcome, l.Code)
			}
		}
		if tr.Finalizers[0].State != tasks.FinalizeCanceled {
			t.Errorf("the final step is %s", tr.Finalizers[0].State)
		}
		if s := tasks.Summarize(&tr, time.Now()); !s.DeadlineExceeded || s.DeadlineAt == nil {
			t.Errorf("the summary says %+v", s)
		}

		close(quick)
		if n, err := b.Retry(t.Context(), tr, baler.ResultFilter{Outcomes: []tasks.Outcome{tasks.OutcomeCanceled}}); n != files || err != nil {
			t.Fatalf("retry: %d, %v", n, err)
		}
		tr = wait(t, b, tr.UUID)
		audit(t, b, tr)
		if tr.DeadlineExceeded || !tr.DeadlineAt.IsZero() {
			t.Errorf("after the retry it has the deadline %v", tr.DeadlineAt)
		}
	})
}

// A named limit that one transfer uses up keeps no other transfer, and no other step, from
// running.
func TestNamedLimitLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 60
		proceed := make(chan struct{})
		reg := register(t, "hold", func(ctx context.Context, _ *handlers.Job) error {
			select {
			case <-proceed:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}, handlers.WithLimits("licence"))
		c.Worker.Concurrency, c.Worker.Slots = 3, 3
		c.Limits = map[string]string{"gpu": "1", "handler:hold": "5", "licence": "1/host"}
		b := open(t, c, reg)
		work(t, b)
		held := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk,
			Recipe: yaml(t, "name: held\nsteps: [{name: before, handler: noop, batch: {max_items: 2}}, "+
				"{handler: hold, limits: [gpu], batch: {max_items: 1, max_delay: 10ms}}]"),
		})
		other := submit(t, b, baler.Submission{
			Paths: []string{testkit.NumberedTree(t, files)}, Via: tasks.ViaBulk, Recipe: yaml(t, "name: other\nsteps: [{handler: noop, batch: {max_items: 1}}]"),
		})
		audit(t, b, wait(t, b, other.UUID))
		testkit.Eventually(t, time.Minute, func() error {
			now, err := b.Transfer(t.Context(), held.UUID)
			if n := now.Steps[0].Total(); err == nil && n != files {
				return fmt.Errorf("the step before has done %d of %d files", n, files)
			}
			return err
		})
		close(proceed)
		audit(t, b, wait(t, b, held.UUID))
	})
}
