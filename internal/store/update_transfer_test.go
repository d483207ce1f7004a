package store

import (
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A transfer changes while it runs: its backlog has the new weight, and a limit that is reached
// already stops it.
func TestTransferIsUpdated(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.stoppable(t, "none", 9)
		weight, limit := 7, tasks.StopAfter{Count: 2}
		if changed, err := b.Update(t.Context(), tr.ID, tasks.TransferChange{Weight: &weight}); err != nil || !changed {
			t.Errorf("changed %v, %v", changed, err)
		}
		all, err := b.Backlogs(t.Context(), 0, 9)
		if err != nil || len(all) != 1 || all[0].Weight != weight {
			t.Errorf("the backlog is %+v, %v", all, err)
		}
		b.finish(t, tr, 1, "1-2", tasks.OutcomeFailed)
		_, err = b.Update(t.Context(), tr.ID, tasks.TransferChange{StopAfter: &limit})
		testkit.Must(t, err)
		if now := b.read(t, tr.ID); now.Weight != weight || now.StopAfter != limit || now.Stopped == "" {
			t.Errorf("it has the weight %d, stops after %s: %q", now.Weight, now.StopAfter, now.Stopped)
		}
		_, err = b.Cancel(t.Context(), tr.ID)
		testkit.Must(t, err)
		if changed, err := b.Update(t.Context(), tr.ID, tasks.TransferChange{Weight: new(9)}); err != nil || changed {
			t.Errorf("a canceled one is changed: %v, %v", changed, err)
		}
	})
}
