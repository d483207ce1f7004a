package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// reuseEnv runs transfers of real files one after the other, with a handler that counts.
type reuseEnv struct {
	*env
	dir string
	ran atomic.Int64 // files that the handler look got
}

func newReuseEnv(t *testing.T, url string, opts ...handlers.Option) *reuseEnv {
	t.Helper()
	r := &reuseEnv{env: newEnv(t, url, "name: none\nsteps: [{handler: look}]"), dir: t.TempDir()}
	testkit.WriteTree(t, r.dir, "a.txt", "b.txt", "bad.txt")
	if len(opts) == 0 {
		opts = []handlers.Option{handlers.WithReuse(handlers.ReuseByName, "1"), handlers.WithoutEarlierFacts()}
	}
	r.handle("look", r.look, opts...)
	r.handle("hash", handlers.HandlerFunc(hash), handlers.WithoutEarlierFacts())
	return r
}

func (r *reuseEnv) look(_ context.Context, jobs []*handlers.Job) error {
	for _, j := range jobs {
		r.ran.Add(1)
		if filepath.Base(j.File().Path) == "bad.txt" {
			j.Finish(handlers.Fail("bad", errors.New("it is bad")))
			continue
		}
		j.WriteOutput([]byte("looked at"))
		j.SetStatus(7, tasks.OutcomeWarning, "odd")
		if err := j.SetFact("seen", j.File().Size); err != nil {
			return err
		}
	}
	return nil
}

// hash is a small checksum.
func hash(_ context.Context, jobs []*handlers.Job) error {
	for _, j := range jobs {
		f, err := j.Open()
		if err != nil {
			return err
		}
		content, err := io.ReadAll(f)
		sum := sha256.Sum256(content)
		if err := errors.Join(err, f.Close(), j.SetFact("sha256", hex.EncodeToString(sum[:]))); err != nil {
			return err
		}
	}
	return nil
}

// transfer runs a transfer of files under a recipe, and returns how many the handler got.
func (r *reuseEnv) transfer(yaml string, names ...string) int64 {
	r.T.Helper()
	before := r.ran.Load()
	r.begin(yaml, names...)
	r.finish(r.worker("w"))
	r.audit()
	return r.ran.Load() - before
}

func (r *reuseEnv) begin(yaml string, names ...string) []tasks.Batch {
	r.T.Helper()
	r.Transfer = r.Create(yaml)
	return r.register(names...)
}

func (r *reuseEnv) register(names ...string) []tasks.Batch {
	r.T.Helper()
	var files []tasks.File
	for _, name := range names {
		path := filepath.Join(r.dir, name)
		info, err := os.Stat(path)
		r.Must(err)
		files = append(files, tasks.File{Path: path, Size: info.Size(), MTime: info.ModTime().UTC()})
	}
	return r.Register(files)
}

const unchanged = "name: t\nsteps: [{handler: look, with: {a: 1}, reuse: unchanged}]"

func TestResultOfAnUnchangedFileIsTakenOver(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newReuseEnv(t, url)
		if ran := r.transfer(unchanged, "a.txt", "b.txt", "bad.txt"); ran != 3 {
			t.Fatalf("%d files ran at first", ran)
		}
		first, origin := r.Results(1), r.Transfer.UUID
		// A failure runs again.
		if ran := r.transfer(unchanged, "bad.txt", "a.txt", "b.txt"); ran != 1 {
			t.Fatalf("%d files ran again", ran)
		}
		for no, was := range map[int64]tasks.Result{2: first[1], 3: first[2]} {
			got := r.Results(1)[no]
			if got.Reused == nil || got.Reused.Transfer != origin || got.Reused.File != was.File || !got.Reused.RanAt.Equal(was.EndedAt) {
				t.Fatalf("file %d is taken over from %+v, want file %d of %s at %s", no, got.Reused, was.File, origin, was.EndedAt)
			}
			if got.Outcome != tasks.OutcomeWarning || got.ExitCode != 7 || got.Code != "odd" || got.Output != "looked at" ||
				string(got.Facts) != string(was.Facts) || len(got.Facts) == 0 {
				t.Errorf("file %d: %+v, want %+v", no, got, was)
			}
		}
		tr, err := r.Store.TransferByID(t.Context(), r.Transfer.ID)
		r.Must(err)
		if s := tr.Steps[0]; s.Reused != 2 || s.Warning != 2 || s.Failed != 1 {
			t.Errorf("the step counts %+v", s)
		}
		// What was taken over can be taken over, also when the first transfer is gone.
		r.Must(r.Store.DeleteTransfer(t.Context(), r.firstTransfer(origin), store.Deletion{}))
		r.Must(r.Store.PurgeDeleted(t.Context()))
		if ran := r.transfer(unchanged, "a.txt", "b.txt"); ran != 0 {
			t.Errorf("%d files ran although their results are there", ran)
		}
		if got := r.Results(1)[1]; got.Reused == nil || got.Reused.Transfer != origin {
			t.Errorf("taken over from %+v, and the handler ran in %s", got.Reused, origin)
		}
	})
}

func (r *reuseEnv) firstTransfer(uuid string) int64 {
	r.T.Helper()
	tr, err := r.Store.Transfer(r.T.Context(), uuid)
	r.Must(err)
	return tr.ID
}

func TestWhatDiffersIsNotTakenOver(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		for name, change := range map[string]func(r *reuseEnv) (yaml string){
			"arguments": func(*reuseEnv) string { return "name: t\nsteps: [{handler: look, with: {a: 2}, reuse: unchanged}]" },
			"step's version": func(*reuseEnv) string {
				return "name: t\nsteps: [{handler: look, with: {a: 1}, reuse: {by: unchanged, version: b}}]"
			},
			"age": func(r *reuseEnv) string {
				_, err := r.DB().ExecContext(t.Context(), "UPDATE reusable_results SET ran_at = '2001-01-01 00:00:00.000000"+zone(url)+"'")
				r.Must(err)
				return "name: t\nsteps: [{handler: look, with: {a: 1}, reuse: {by: unchanged, max_age: 1h}}]"
			},
			"the handler's version": func(r *reuseEnv) string {
				r.registry = &handlers.Registry{}
				r.handle("look", r.look, handlers.WithReuse(handlers.ReuseByName, "2"), handlers.WithoutEarlierFacts())
				return unchanged
			},
			"a handler that says nothing": func(r *reuseEnv) string {
				r.registry = &handlers.Registry{}
				r.handle("look", r.look)
				return unchanged
			},
			"the time of the file": func(r *reuseEnv) string {
				r.Must(os.Chtimes(filepath.Join(r.dir, "a.txt"), time.Time{}, time.Unix(1_000_000_000, 0)))
				return unchanged
			},
			"forgotten": func(r *reuseEnv) string {
				n, err := r.Store.ForgetReusable(t.Context(), "look", time.Now().AddDate(1, 0, 0))
				r.Must(err)
				if n != 1 {
					t.Errorf("%d results were forgotten", n)
				}
				return unchanged
			},
			"a step that does not ask for it": func(*reuseEnv) string { return "name: t\nsteps: [{handler: look, with: {a: 1}}]" },
		} {
			t.Run(name, func(t *testing.T) {
				r := newReuseEnv(t, url)
				if ran := r.transfer(unchanged, "a.txt"); ran != 1 {
					t.Fatalf("%d files ran at first", ran)
				}
				if ran := r.transfer(change(r), "a.txt"); ran != 1 {
					t.Errorf("%d files ran, not 1", ran)
				}
				_, err := r.Store.ForgetReusable(t.Context(), "look", time.Now().AddDate(1, 0, 0))
				r.Must(err)
			})
		}
	})
}

// zone is how the database writes the end of a time.
func zone(url string) string {
	if url[:3] == "sql" {
		return "+00:00"
	}
	return ""
}

const byDigest = "name: t\nsteps: [{handler: hash}, {handler: look, with: {at: \"${path}\"}, reuse: digest}]"

func TestResultOfTheSameContentIsTakenOver(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newReuseEnv(t, url)
		testkit.WriteFile(t, filepath.Join(r.dir, "elsewhere/copy.txt"), "a.txt")
		testkit.WriteFile(t, filepath.Join(r.dir, "elsewhere/copy.md"), "a.txt")
		if ran := r.transfer(byDigest, "a.txt"); ran != 1 {
			t.Fatalf("%d files ran at first", ran)
		}
		// The handler looks at the extension: it runs for copy.md.
		if ran := r.transfer(byDigest, "elsewhere/copy.txt", "elsewhere/copy.md", "b.txt"); ran != 2 {
			t.Errorf("%d files ran, not copy.md and b.txt", ran)
		}
		if r.Results(2)[1].Reused == nil || r.Results(2)[2].Reused != nil || r.Results(2)[3].Reused != nil {
			t.Errorf("results: %+v", r.Results(2))
		}
	})
}

// The digest was that of other content than the handler has seen.
func TestResultOfAFileThatChangedMeanwhileIsNotTakenOver(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newReuseEnv(t, url)
		batches := r.begin(byDigest, "a.txt")
		w := r.worker("w")
		r.Must(r.deliver(w, &batches[0]))
		testkit.WriteFile(t, filepath.Join(r.dir, "a.txt"), "other content")
		r.finish(w)
		testkit.WriteFile(t, filepath.Join(r.dir, "a.txt"), "a.txt")
		if ran := r.transfer(byDigest, "a.txt"); ran != 1 {
			t.Errorf("%d files ran, not 1", ran)
		}
	})
}

// What a file was when it was registered says nothing of one that was changed or deleted since.
func TestFileThatIsNoLongerAsRegisteredRuns(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newReuseEnv(t, url)
		r.transfer(unchanged, "a.txt", "b.txt")
		r.begin(unchanged, "a.txt", "b.txt")
		testkit.WriteFile(t, filepath.Join(r.dir, "a.txt"), "other content")
		r.Must(os.Remove(filepath.Join(r.dir, "b.txt")))
		before := r.ran.Load()
		r.finish(r.worker("w"))
		if ran := r.ran.Load() - before; ran != 2 {
			t.Errorf("%d files ran, not 2", ran)
		}
		if tr := r.audit(); tr.Steps[0].Reused != 0 {
			t.Errorf("the step counts %+v", tr.Steps[0])
		}
	})
}

func TestRetriedResultIsNotTakenOver(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newReuseEnv(t, url)
		r.transfer(unchanged, "a.txt")
		if ran := r.transfer(unchanged, "a.txt"); ran != 0 {
			t.Fatalf("%d files ran", ran)
		}
		plan, err := r.Transfers.Get(t.Context(), r.Transfer.ID)
		r.Must(err)
		_, err = r.Store.RetryFiles(t.Context(), store.RetryRequest{
			Transfer: r.Transfer.ID, Limit: 10, StopsRecipe: func(int, tasks.Outcome) bool { return true },
			Cut: func(step int, files []tasks.File) []tasks.Batch {
				return []tasks.Batch{{
					Transfer: r.Transfer.ID, Step: step, Attempt: 1, Files: tasks.NewRanges([]int64{files[0].No}), Queue: plan.Queue,
				}}
			},
		})
		r.Must(err)
		before := r.ran.Load()
		r.finish(r.worker("w"))
		if ran := r.ran.Load() - before; ran != 1 {
			t.Errorf("%d files ran when they were retried", ran)
		}
		if tr := r.audit(); tr.Steps[0].Reused != 0 || r.Results(1)[1].Reused != nil {
			t.Errorf("the step counts %+v", tr.Steps[0])
		}
	})
}

func TestTransferWithoutReuse(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newReuseEnv(t, url)
		r.transfer(unchanged, "a.txt")
		r.Transfer = r.Create(unchanged)
		_, err := r.DB().ExecContext(t.Context(), "UPDATE transfers SET no_reuse = 1 WHERE id = ?", r.Transfer.ID)
		r.Must(err)
		before := r.ran.Load()
		r.register("a.txt")
		r.finish(r.worker("w"))
		if ran := r.ran.Load() - before; ran != 1 {
			t.Errorf("%d files ran", ran)
		}
	})
}

// A handler that reads facts takes over nothing that was found with others.
func TestFactsOfEarlierStepsCount(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newReuseEnv(t, url, handlers.WithReuse(handlers.ReuseByDigest, "1"))
		const yaml = "name: t\nsteps: [{handler: hash}, {handler: look, reuse: unchanged}]"
		r.transfer(yaml, "a.txt")
		if ran := r.transfer(yaml, "a.txt"); ran != 0 {
			t.Errorf("%d files ran with equal facts", ran)
		}
		if ran := r.transfer("name: t\nsteps: [{handler: look, reuse: unchanged}]", "a.txt"); ran != 1 {
			t.Errorf("%d files ran without these facts", ran)
		}
	})
}

// A result that is young enough is taken over.
func TestResultOfTheGreatestAgeIsTakenOver(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newReuseEnv(t, url)
		const aged = "name: t\nsteps: [{handler: look, with: {a: 1}, reuse: {by: unchanged, max_age: 1h}}]"
		if ran := r.transfer(aged, "a.txt"); ran != 1 {
			t.Fatalf("%d files ran at first", ran)
		}
		if ran := r.transfer(aged, "a.txt"); ran != 0 {
			t.Errorf("%d files ran although their results are there", ran)
		}
	})
}
