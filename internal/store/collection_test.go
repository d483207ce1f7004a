package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// runOf registers files of a run, ends them with an outcome, and seals its transfer.
func (b *env) runOf(t *testing.T, runKey string, outcome tasks.Outcome, paths ...string) tasks.Transfer {
	t.Helper()
	tr, _, err := b.Create(t.Context(), NewTransfer{
		RunKey: runKey, Via: tasks.ViaBulk, Queue: "baler", Recipe: "steps: []", Steps: []tasks.StepProgress{{Number: 1, Name: "s", Handler: "noop"}},
		Finalizers: []tasks.FinalizeStep{{Number: 1, Name: "a", Handler: "close-a"}, {Number: 2, Name: "b", Handler: "close-b"}},
	})
	testkit.Must(t, err)
	files := make([]tasks.File, len(paths))
	for i, path := range paths {
		files[i] = tasks.File{Path: path, Size: 10, MTime: time.Unix(tr.ID, 0)}
	}
	testkit.Must(t, b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: files, RunKey: runKey}))
	if len(paths) > 0 {
		b.end(t, tr, fmt.Sprintf("1-%d", len(paths)), outcome)
	}
	_, err = b.Seal(t.Context(), tr.ID)
	testkit.Must(t, err)
	return tr
}

func (b *env) collected(t *testing.T, c ledger.Collection, page int) (files, results string) {
	t.Helper()
	var f, r []string
	for after := (tasks.FileKey{}); ; {
		some, err := b.CollectionFiles(t.Context(), c, after, page)
		testkit.Must(t, err)
		for i := range some {
			f, after = append(f, fmt.Sprintf("%d:%s", some[i].Transfer, some[i].Path)), some[i].Key()
		}
		if len(some) < page {
			break
		}
	}
	for after := (tasks.CollectedKey{}); ; {
		some, err := b.CollectionResults(t.Context(), c, tasks.ResultSelector{}, after, page)
		testkit.Must(t, err)
		for i := range some {
			r, after = append(r, fmt.Sprintf("%d:%s", some[i].Transfer, some[i].Path)), some[i].Key()
		}
		if len(some) < page {
			break
		}
	}
	return strings.Join(f, " "), strings.Join(r, " ")
}

// A collection has each file once, as the newest transfer registered it.
func TestCollectionOfRuns(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		first := b.runOf(t, "k", tasks.OutcomeSucceeded, "/1", "/2", "/3")
		b.runOf(t, "other", tasks.OutcomeSucceeded, "/x", "/y")
		second := b.runOf(t, "k", tasks.OutcomeSucceeded, "/4", "/2")
		b.runOf(t, "k", tasks.OutcomeSucceeded)
		want := fmt.Sprintf("%d:/1 %d:/3 %d:/4 %d:/2", first.ID, first.ID, second.ID, second.ID)
		for page := 1; page < 6; page++ {
			files, results := b.collected(t, ledger.Collection{Transfer: second.ID, RunKey: "k"}, page)
			if files != want || results != want {
				t.Errorf("in pages of %d: files %s, results %s; want %s", page, files, results, want)
			}
		}
		if n, bytes, err := b.CollectionTotals(t.Context(), ledger.Collection{RunKey: "k"}); err != nil || n != 4 || bytes != 40 {
			t.Errorf("%d files of %d bytes, %v", n, bytes, err)
		}

		want = fmt.Sprintf("%d:/4 %d:/2", second.ID, second.ID)
		alone := ledger.Collection{Transfer: second.ID}
		if files, results := b.collected(t, alone, 1); files != want || results != want {
			t.Errorf("of a transfer: files %s, results %s; want %s", files, results, want)
		}
		if n, bytes, err := b.CollectionTotals(t.Context(), alone); err != nil || n != 2 || bytes != 20 {
			t.Errorf("of a transfer: %d files of %d bytes, %v", n, bytes, err)
		}
	})
}

// Final steps of one collection run one at a time, those of the oldest transfer first. So
// the last one to write has read all files.
func TestFinalStepsOfACollectionTakeTurns(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		first := b.runOf(t, "k", tasks.OutcomeSucceeded, "/1")
		second := b.runOf(t, "k", tasks.OutcomeSucceeded, "/2")
		due := func(want ...int64) map[int64]ledger.FinalizeTask {
			t.Helper()
			steps := make(map[int64]ledger.FinalizeTask)
			var got []int64
			for _, s := range b.dueClosing(t) {
				got, steps[s.Transfer] = append(got, s.Transfer), s
			}
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("due are steps of %v, want %v", got, want)
			}
			return steps
		}
		claim := func(c *ledger.FinalizeTask, want bool) {
			t.Helper()
			if got, err := b.ClaimFinalizeStep(t.Context(), c, finalizeLease); err != nil || got != want {
				t.Errorf("claimed step %d of %d: %v, %v; want %v", c.No, c.Transfer, got, err, want)
			}
		}
		other := b.runOf(t, "other", tasks.OutcomeSucceeded, "/x")
		steps := due(first.ID, other.ID)
		a := steps[first.ID]
		claim(&a, true)
		late := ledger.FinalizeTask{Transfer: second.ID, No: 1, FencingToken: 1}
		claim(&late, false)
		b.endClosing(t, &a, tasks.FinalizeDone, "")

		// A person pauses the first: the second goes on, and the first waits for its step.
		_, err := b.Pause(t.Context(), first.ID)
		testkit.Must(t, err)
		mine := due(second.ID, other.ID)[second.ID]
		claim(&mine, true)
		_, err = b.Resume(t.Context(), first.ID)
		testkit.Must(t, err)
		due(other.ID)
		b.clock.Advance(finalizeLease) // its worker died: the first has its turn
		due(first.ID, other.ID)
	})
}

func TestOutputsHaveTheirOwners(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		for range 2 {
			testkit.Must(t, b.NoteOutput(t.Context(), "a", "/m", "1"))
		}
		for _, c := range []struct {
			owner, path, digest string
			want                bool
		}{{"a", "/m", "1", true}, {"a", "/m", "2", false}, {"a", "/n", "1", false}, {"b", "/m", "1", false}} {
			if got, err := b.Wrote(t.Context(), c.owner, c.path, c.digest); err != nil || got != c.want {
				t.Errorf("%+v: %v, %v", c, got, err)
			}
		}
	})
}

// Files that a scan has not found leave the collection, except those in places that it
// could not read.
func TestGoneFilesLeaveTheirCollection(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		first := b.runOf(t, "k", tasks.OutcomeSucceeded, "/a/1", "/a/2", "/a/3", "/b/1", "/b/2")
		second := b.runOf(t, "k", tasks.OutcomeSucceeded, "/a/2", "/a/4")
		b.runOf(t, "other", tasks.OutcomeSucceeded, "/a/1")
		open := func(want int) {
			t.Helper()
			if got, err := b.OpenFinalSteps(t.Context(), "k", []tasks.FinalizeStep{{Digest: "digest"}}, nil); err != nil || len(got) != want {
				t.Errorf("open final steps: %v, %v; want %d", got, err, want)
			}
		}
		testkit.Must(t, b.db.Exec("UPDATE finalize_steps SET digest = 'digest', state = ?, stale = ? WHERE transfer_id = ?",
			tasks.FinalizeDone, false, second.ID).Error)
		open(0)
		met := map[tasks.FileKey]bool{{Transfer: first.ID, File: 1}: true, {Transfer: second.ID, File: 1}: true}
		filter := GoneFilter{
			Met:    func(k tasks.FileKey) bool { return met[k] },
			Hidden: func(path string) bool { return strings.HasPrefix(path, "/b/") },
		}
		for _, want := range []int64{2, 0} {
			if gone, err := b.RemoveGone(t.Context(), "k", filter); err != nil || gone != want {
				t.Errorf("%d are gone, %v; want %d", gone, err, want)
			}
		}
		open(1)
		want := fmt.Sprintf("%d:/a/1 %d:/b/1 %d:/b/2 %d:/a/2", first.ID, first.ID, first.ID, second.ID)
		if files, _ := b.collected(t, ledger.Collection{RunKey: "k"}, 10); files != want {
			t.Errorf("left are %s, want %s", files, want)
		}
		for path, want := range map[string]bool{"/a": true, "/a/1": true, "/a/3": false, "/": true, "/a/": true, "/aa": false, "/c": false} {
			if got, err := b.HasFilesAt(t.Context(), "k", path); err != nil || got != want {
				t.Errorf("at %s: %v, %v; want %v", path, got, err, want)
			}
		}
	})
}

// Which final steps have not run over a collection as it is.
func TestOpenFinalSteps(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		tr := b.runOf(t, "k", tasks.OutcomeSucceeded, "/1")
		testkit.Must(t, b.db.Exec("UPDATE finalize_steps SET digest = name").Error)
		steps := []tasks.FinalizeStep{{Number: 1, Digest: "a"}, {Number: 2, Digest: "b"}, {Number: 3, Digest: "c"}}
		open := func(want string, tried ...int64) {
			t.Helper()
			found, err := b.OpenFinalSteps(t.Context(), "k", steps, tried)
			var got []string
			for _, s := range found {
				got = append(got, s.Digest)
			}
			if err != nil || strings.Join(got, " ") != want {
				t.Errorf("open are %v, %v; want %s", got, err, want)
			}
		}
		open("c") // the others wait
		for no := 1; no <= 2; no++ {
			c := b.take(t, no)
			state := tasks.FinalizeDone
			if no == 2 {
				state = tasks.FinalizeFailed
			}
			b.endClosing(t, c, state, "")
		}
		open("b c")
		open("c", tr.ID)

		// A change of the inputs of a step besides the files is recorded.
		steps[0].Inputs = "folders"
		open("a c", tr.ID)
		testkit.Must(t, b.NoteInputs(t.Context(), tr.ID, steps[:1]))
		open("c", tr.ID)

		// Other files come, and then a file of the first transfer runs again.
		next := b.runOf(t, "k", tasks.OutcomeSucceeded, "/2")
		testkit.Must(t, b.db.Exec("UPDATE finalize_steps SET digest = 'c', no = no + 2 WHERE transfer_id = ? AND no = 1", next.ID).Error)
		open("a b", tr.ID)
		testkit.Must(t, b.db.Exec("UPDATE finalize_steps SET state = ?, stale = ? WHERE transfer_id = ?", tasks.FinalizeDone, false, next.ID).Error)
		testkit.Must(t, b.db.Exec("UPDATE transfers SET state = ? WHERE id = ?", tasks.StateCompleted, next.ID).Error)
		open("a b", tr.ID) // b, which failed, has not been tried since
		_, err := b.RetryFiles(t.Context(), RetryRequest{
			Transfer: tr.ID, Limit: 10, StopsRecipe: func(int, tasks.Outcome) bool { return true },
			Cut: func(step int, _ []tasks.File) []tasks.Batch { return []tasks.Batch{newBatch(t, tr.ID, step, "1")} },
		})
		testkit.Must(t, err)
		open("c")
	})
}
