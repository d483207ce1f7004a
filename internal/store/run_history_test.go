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

func TestEarlierTransfers(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		ctx := t.Context()
		add := func(sources string, ended bool) tasks.Transfer {
			t.Helper()
			tr, _, err := b.Create(ctx, NewTransfer{
				SourcesKey: sources, Via: tasks.ViaBulk, Queue: "q", Recipe: "steps: []", Steps: []tasks.StepProgress{{Number: 1, Name: "s", Handler: "noop"}},
			})
			if err == nil && ended {
				_, err = b.Seal(ctx, tr.ID) // it has no files, and so it completes
			}
			if err != nil {
				t.Fatal(err)
			}
			return tr
		}
		first, second := add("a", true), add("a", true)
		add("a", false)
		add("b", true)
		list := add("", true)
		last := add("a", true)
		add("a", true)
		got, err := b.EarlierTransfers(ctx, last.ID, 9)
		if err != nil || len(got) != 2 || got[0].ID != second.ID || got[1].ID != first.ID || len(got[0].Steps) != 1 {
			t.Errorf("%v: %+v", err, got)
		}
		if got, err = b.EarlierTransfers(ctx, last.ID, 1); err != nil || len(got) != 1 {
			t.Errorf("one: %v, %d", err, len(got))
		}
		if got, err = b.EarlierTransfers(ctx, list.ID, 9); err != nil || len(got) != 0 {
			t.Errorf("of a list: %v, %d", err, len(got))
		}
	})
}
