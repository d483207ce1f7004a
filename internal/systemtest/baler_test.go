package systemtest

import (
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestSubmittedFilesGetOneResultAStep(t *testing.T) {
	t.Parallel()
	for _, via := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup} {
		t.Run(string(via), func(t *testing.T) {
			onEach(t, func(t *testing.T, c config.Config) {
				const files = 1234
				root := testkit.NumberedTree(t, files)
				b := open(t, c, nil)
				work(t, b)
				tr, created, err := b.Submit(t.Context(), baler.Submission{
					Paths: []string{root}, Recipe: builtinRecipe(t, "default"), Via: via,
				})
				if err != nil || !created {
					t.Fatalf("submit: created %v, %v", created, err)
				}
				tr = wait(t, b, tr.UUID)
				lines := audit(t, b, tr)
				if tr.Files != files || len(lines) != files {
					t.Errorf("%d files and %d results, want %d and %d", tr.Files, len(lines), files, files)
				}
			})
		})
	}
}
