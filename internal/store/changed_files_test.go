package store

import (
	"context"
	"errors"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestCompareFilesInFullPages(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr, _, err := b.Create(t.Context(), NewTransfer{RunKey: "line", Steps: []tasks.StepProgress{{Number: 1}}})
		testkit.Must(t, err)
		files := someFiles(2 * ComparePage)
		for i := range files {
			files[i].No = int64(i + 1)
		}
		testkit.Must(t, b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: files, RunKey: "line"}))
		files[ComparePage+5].Size++
		ended, end := context.WithCancel(t.Context())
		end()
		for _, want := range []int{0, 1} { // the second page takes the statement of the first
			page := files[want*ComparePage:][:ComparePage]
			if _, err := b.CompareFiles(ended, "line", 0, page); !errors.Is(err, context.Canceled) {
				t.Errorf("with an ended context: %v", err)
			}
			if got, err := b.changed(t, "line", page); err != nil || len(got) != want {
				t.Errorf("%d files changed, want %d; %v", len(got), want, err)
			}
			if got, err := b.changed(t, "other", page); err != nil || len(got) != ComparePage {
				t.Errorf("%d files are new to another run, want all; %v", len(got), err)
			}
		}
	})
}
