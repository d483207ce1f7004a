package runner

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/dispatch"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// Whatever the result of a batch, each of its files continues in exactly one batch or ends.
func TestFollowMovesEachFileOnce(t *testing.T) {
	const text = `name: t
steps:
  - {name: a, handler: h}
  - {name: b, handler: h, when: "size > 3", on_failure: continue, batch: {max_items: 2}}
  - {name: c, handler: h, when: "facts.go == true"}`
	catalog := dispatch.NewTransferCache(func(_ context.Context, id int64) (tasks.Transfer, error) {
		return tasks.Transfer{ID: id, Recipe: text, Queue: "default"}, nil
	}, func(s *recipe.Step) tasks.BatchPolicy { return tasks.BatchPolicy{MaxItems: s.Batch.MaxItems} })
	entry, err := catalog.Get(t.Context(), 1)
	testkit.Must(t, err)
	at := time.Unix(1_800_000_000, 0)
	rapid.Check(t, func(t *rapid.T) {
		f := nextBatches{
			batch: &tasks.Batch{Transfer: 1, Step: rapid.IntRange(1, 3).Draw(t, "step"), Attempt: rapid.IntRange(1, 3).Draw(t, "attempt"), Queue: "default"},
			entry: entry, notBefore: at, alone: rapid.Bool().Draw(t, "alone"),
		}
		var foreign, refused []int64
		again := 0
		for no := range int64(rapid.IntRange(0, 12).Draw(t, "files")) {
			e := fileOutcome{
				file:    &tasks.File{No: no + 1, Size: rapid.Int64Range(0, 6).Draw(t, "size")},
				outcome: rapid.SampledFrom(tasks.Outcomes()).Draw(t, "outcome"),
				facts:   map[string]any{"go": rapid.Bool().Draw(t, "go")},
			}
			e.again = e.outcome.Retriable() && rapid.Bool().Draw(t, "again")
			switch {
			case rapid.IntRange(0, 5).Draw(t, "foreign") == 0:
				foreign = append(foreign, e.file.No)
			case e.again:
				again++
			case rapid.IntRange(0, 5).Draw(t, "refused") == 0:
				refused = append(refused, e.file.No)
			}
			f.ends = append(f.ends, e)
		}
		plan := f.plan(tasks.NewRanges(foreign), refused)
		var moved []int64
		for _, b := range plan.Batches {
			moved = slices.AppendSeq(moved, b.Files.All())
			if b.Transfer != 1 || b.Queue != "default" || b.Items() == 0 {
				t.Errorf("follows %+v", b)
			}
			if retry := b.Step == f.batch.Step; retry {
				again -= b.Items()
				if b.Attempt != f.batch.Attempt+1 || !b.NotBefore.Equal(at) || f.alone && b.Items() > 1 {
					t.Errorf("a later attempt is %+v", b)
				}
			} else if b.Step < f.batch.Step || b.Attempt != 1 || !b.NotBefore.IsZero() {
				t.Errorf("a next step is %+v", b)
			}
			if b.Step == 2 && b.Items() > 2 {
				t.Errorf("step 2 takes 2 at a time, not %+v", b)
			}
		}
		slices.Sort(moved)
		if len(slices.Compact(slices.Clone(moved))) != len(moved) {
			t.Errorf("moved twice: %v", moved)
		}
		if int64(len(moved))+plan.Finished+int64(len(foreign)) != int64(len(f.ends)) || again != 0 {
			t.Errorf("of %d files %d moved, %d finished and %d are foreign; %d more tries", len(f.ends), len(moved), plan.Finished, len(foreign), again)
		}
		for _, no := range foreign {
			if slices.Contains(moved, no) {
				t.Errorf("moved file %d of another batch", no)
			}
		}
	})
}
