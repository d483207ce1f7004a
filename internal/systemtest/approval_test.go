package systemtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Whatever way files take, no file of a step runs before a person has approved it, also not in
// a worker that starts meanwhile or by a reconcile; then each runs once. A file that is
// canceled while it waits ends without a run.
func TestFilesWaitForApproval(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		var ran atomic.Int64
		b := open(t, c, register(t, "gated", func(context.Context, *handlers.Job) error {
			ran.Add(1)
			return nil
		}))
		const files = 7
		stop := work(t, b)
		var all []tasks.Transfer
		for _, via := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup} {
			for _, steps := range []string{"{handler: noop}, {handler: gated, approve: true, batch: {max_items: 2}}", "{handler: gated, approve: true}"} {
				all = append(all, submit(t, b, baler.Submission{
					Paths: []string{testkit.NumberedTree(t, files)}, Via: via, Recipe: yaml(t, "name: t\nsteps: ["+steps+"]"),
				}))
			}
		}
		waits := func() {
			t.Helper()
			for _, tr := range all {
				testkit.Eventually(t, hung, func() error {
					now, err := b.Transfer(t.Context(), tr.UUID)
					if step, ok := now.AwaitsApproval(); err == nil && (!ok || step.Selected != files || step.Total() != 0) {
						err = fmt.Errorf("by %s, it waits for approval: %v; steps %+v", tr.Via, ok, now.Steps)
					}
					return err
				})
			}
		}
		waits()
		stop()
		work(t, b)
		if c.Redis.URL != "embedded" {
			r, err := b.Reconcile(t.Context())
			testkit.Must(t, err)
			if r.Batches != 0 || r.Resent != 0 {
				t.Errorf("reconcile reports batches that wait for approval as lost: %+v", r)
			}
		}
		for _, tr := range all {
			n, err := b.CancelFiles(t.Context(), tr, baler.ResultFilter{File: 3})
			if testkit.Must(t, err); n != 1 {
				t.Errorf("by %s, %d files are canceled, want 1", tr.Via, n)
			}
		}
		waits()
		if n := ran.Load(); n != 0 {
			t.Errorf("%d files ran that nobody has approved", n)
		}
		for _, tr := range all {
			_, err := b.Decide(t.Context(), tr, tasks.Decision{})
			testkit.Must(t, err)
			now := wait(t, b, tr.UUID)
			audit(t, b, now)
			if got := now.Steps[len(now.Steps)-1].Counts; got != (tasks.Counts{Succeeded: files - 1, Canceled: 1}) {
				t.Errorf("by %s, the step ended as %+v", tr.Via, got)
			}
		}
		if n, want := ran.Load(), int64(len(all)*(files-1)); n != want {
			t.Errorf("%d files ran, want %d", n, want)
		}
	})
}
