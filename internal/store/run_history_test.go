package store

import (
	"testing"

	"github.com/balerhq/baler/tasks"
)

func TestUnfinishedRuns(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		add := func(runKey string) tasks.Transfer {
			t.Helper()
			tr, _, err := b.Create(ctx, NewTransfer{
				RunKey: runKey, Via: tasks.ViaBulk, Queue: "q", Recipe: "steps: []", Steps: []tasks.StepProgress{{Number: 1, Name: "s", Handler: "noop"}},
			})
			if err == nil {
				err = b.AddFiles(ctx, FileBatch{Transfer: tr.ID, Files: []tasks.File{{Path: "/f"}}, First: 1, RunKey: runKey})
			}
			if err != nil {
				t.Fatal(err)
			}
			return tr
		}
		running, open, other, paused, canceled, latest := add("a"), add("a"), add("b"), add("a"), add("a"), add("a")
		for _, tr := range []tasks.Transfer{running, other, paused, canceled, latest} {
			if _, err := b.Seal(ctx, tr.ID); err != nil {
				t.Fatal(err)
			}
		}
		if ok, err := b.Pause(ctx, paused.ID); !ok || err != nil {
			t.Fatal(ok, err)
		}
		if ok, err := b.Cancel(ctx, canceled.ID); !ok || err != nil {
			t.Fatal(ok, err)
		}
		got, err := b.UnfinishedRuns(ctx, "a", latest.ID)
		if err != nil || len(got) != 1 || got[0].UUID != running.UUID {
			t.Errorf("revived %+v, %v; want %s alone, not the open %s", got, err, running.UUID, open.UUID)
		}
	})
}
