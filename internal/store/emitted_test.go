package store

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// emitting is a result of a file with files that it has emitted, by name and size.
func emitting(b *tasks.Batch, file int64, sizes ...int64) tasks.Result {
	r := results(b, tasks.OutcomeSucceeded, file)[0]
	for i, size := range sizes {
		name := fmt.Sprintf("m%d", i)
		r.Emitted = append(r.Emitted, tasks.File{
			Path: fmt.Sprintf("/out/%d/%s", file, name), Size: size, MTime: time.Unix(1e9, 0).UTC(),
			Emitted: &tasks.Emission{Parent: file, Top: file, Depth: 1, Step: b.Step, Name: name, Base: "/out"},
		})
	}
	return r
}

func (b *env) registerEmitted(t *testing.T, p ledger.EmittedPage) (started []tasks.Batch, completed bool) {
	t.Helper()
	if p.Limit == 0 {
		p.Limit = 100
	}
	started, completed, err := b.RegisterEmitted(t.Context(), p)
	testkit.Must(t, err)
	return started, completed
}

func (b *env) backlog(t *testing.T) []ledger.Backlog {
	t.Helper()
	bs, err := b.Backlogs(t.Context(), 0, 10)
	testkit.Must(t, err)
	return bs
}

// Emitted files wait for the seal, then are numbered behind the others, and the transfer
// ends only when they have.
func TestEmittedFilesAreRegistered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 2)
		b.files(t, tr.ID, 2)
		one := b.batch(t, tr.ID, "1-2")
		testkit.Must(t, b.commit(t, tr.ID, 0, 2))
		b.record(t, &ledger.BatchCompletion{
			Batch: one, Results: []tasks.Result{emitting(one, 1, 10, 20), emitting(one, 2, 30)}, FollowUp: finishing(one),
		})
		if bs := b.backlog(t); len(bs) != 0 {
			t.Errorf("an open transfer has a backlog: %+v", bs)
		}
		b.registerEmitted(t, ledger.EmittedPage{Transfer: tr.ID})
		if r := b.read(t, tr.ID); r.Files != 2 || r.Emitted != 3 {
			t.Errorf("registered before the seal: %+v", r)
		}
		if completed, err := b.Seal(t.Context(), tr.ID); err != nil || completed {
			t.Errorf("sealing: %v, completed %v; three files wait", err, completed)
		}
		if bs := b.backlog(t); len(bs) != 1 || bs[0].Emitted != 3 {
			t.Fatalf("backlog %+v", bs)
		}
		b.registerEmitted(t, ledger.EmittedPage{Transfer: tr.ID, Limit: 2})
		b.registerEmitted(t, ledger.EmittedPage{Transfer: tr.ID, Limit: 2})
		b.registerEmitted(t, ledger.EmittedPage{Transfer: tr.ID, Limit: 2})
		b.checkCounters(t.Context(), t, tr.ID)
		files, err := b.Files(t.Context(), tr.ID, tasks.Ranges{{First: 1, Last: 9}})
		testkit.Must(t, err)
		var got []string
		for _, f := range files {
			text := fmt.Sprintf("%d %s %d", f.No, f.Path, f.Size)
			if e := f.Emitted; e != nil {
				text += fmt.Sprintf(" %d/%d/%d/%d %s %s", e.Parent, e.Top, e.Depth, e.Step, e.Name, e.Base)
			}
			got = append(got, text)
		}
		want := []string{
			"1 /data/000000 1", "2 /data/000001 1",
			"3 /out/1/m0 10 1/1/1/1 m0 /out", "4 /out/1/m1 20 1/1/1/1 m1 /out", "5 /out/2/m0 30 2/2/1/1 m0 /out",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("files\n%q\nwant\n%q", got, want)
		}
		if last, err := b.LastFileNo(t.Context(), tr.ID); err != nil || last.No != 2 {
			t.Errorf("the last file from the sources is %d, %v", last.No, err)
		}
		bs := b.backlog(t)
		if len(bs) != 1 || bs[0].Emitted != 0 || bs[0].Files-bs[0].Cursor != 3 || bs[0].Bytes != 60 {
			t.Fatalf("backlog %+v", bs)
		}
		next := b.batch(t, tr.ID, "3-5")
		testkit.Must(t, b.commit(t, tr.ID, 2, 5))
		// One member emits in its turn, in the transaction that would end the transfer.
		r := results(next, tasks.OutcomeSucceeded, 3, 4)
		deep := emitting(next, 5, 7)
		deep.Emitted[0].Emitted.Top, deep.Emitted[0].Emitted.Depth = 2, 2
		done := b.record(t, &ledger.BatchCompletion{Batch: next, Results: append(r, deep), FollowUp: finishing(next)})
		if done[0].Completed || b.read(t, tr.ID).State != tasks.StateRunning {
			t.Error("the transfer completed although a file was emitted")
		}
		e, err := b.EmittedFrom(t.Context(), tr.ID, &tasks.File{No: 6, Emitted: &tasks.Emission{Top: 2}})
		if err != nil || e != (ledger.EmittedFiles{Files: 2, Bytes: 37, TopSize: 1}) {
			t.Errorf("emitted from file 2: %+v, %v", e, err)
		}
		e, err = b.EmittedFrom(t.Context(), tr.ID, &tasks.File{No: 5, Emitted: &tasks.Emission{Top: 2}})
		if err != nil || e != (ledger.EmittedFiles{Files: 1, Bytes: 30, TopSize: 1}) {
			t.Errorf("emitted from file 2, but for what file 5 has emitted: %+v, %v", e, err)
		}
		// By group: the files start in the same transaction; here no step selects it.
		_, completed := b.registerEmitted(t, ledger.EmittedPage{Transfer: tr.ID, Start: func(files []tasks.File) ledger.FollowUp {
			return ledger.FollowUp{Finished: int64(len(files))}
		}})
		if !completed || b.read(t, tr.ID).State != tasks.StateCompleted {
			t.Errorf("completed %v, %+v", completed, b.read(t, tr.ID))
		}
		b.checkCounters(t.Context(), t, tr.ID)
		lines, err := b.Results(t.Context(), tr.ID, tasks.ResultSelector{Parent: 2}, tasks.ResultKey{}, 10)
		if err != nil || len(lines) != 1 || lines[0].File != 5 || lines[0].Parent != 2 || lines[0].Name != "m0" {
			t.Errorf("results of what came from file 2: %+v, %v", lines, err)
		}
	})
}

// commit moves the cursor of a transfer.
func (b *env) commit(t *testing.T, transfer, from, to int64) error {
	t.Helper()
	var sum struct{ Bytes int64 }
	testkit.Must(t, b.db.Raw("SELECT COALESCE(SUM(size), 0) AS bytes FROM files WHERE transfer_id = ? AND no > ? AND no <= ?", transfer, from, to).
		Scan(&sum).Error)
	_, err := b.CommitDispatch(t.Context(), ledger.Dispatch{Transfer: transfer, From: from, To: to, Bytes: sum.Bytes})
	return err
}

// A handler that runs again emits nothing twice; other content under the same name is a
// further file, and a failed attempt emits nothing.
func TestEmittedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		one := b.batch(t, tr.ID, "1")
		testkit.Must(t, b.commit(t, tr.ID, 0, 1))
		_, err := b.Seal(t.Context(), tr.ID)
		testkit.Must(t, err)
		attempt := emitting(one, 1, 10, 20)
		attempt.Outcome = tasks.OutcomeError
		later := newBatch(t, tr.ID, 1, "1")
		later.Attempt = 2
		done := b.record(t, &ledger.BatchCompletion{
			Batch: one, FailedAttempts: []tasks.Result{attempt}, FollowUp: &ledger.FollowUp{Batches: []tasks.Batch{later}},
		})
		if n := b.count(t, "emitted_files", "1 = 1"); n != 0 {
			t.Errorf("a failed attempt emitted %d files", n)
		}
		second := done[0].Batches[0]
		twice := emitting(&second, 1, 10, 20)
		twice.Emitted = append(twice.Emitted, twice.Emitted[0])
		b.record(t, &ledger.BatchCompletion{Batch: &second, Results: []tasks.Result{twice}}) // while the batch still runs
		b.record(t, &ledger.BatchCompletion{Batch: &second, Results: []tasks.Result{emitting(&second, 1, 10, 20, 30)}, FollowUp: finishing(&second)})
		if r := b.read(t, tr.ID); r.Emitted != 2 || r.State != tasks.StateRunning {
			t.Errorf("%+v; the first result counts", r)
		}
		b.registerEmitted(t, ledger.EmittedPage{Transfer: tr.ID})
		if r := b.read(t, tr.ID); r.Files != 3 {
			t.Errorf("%+v", r)
		}
		retried, err := b.RetryFiles(t.Context(), RetryRequest{
			Transfer: tr.ID, Limit: 10, StopsRecipe: func(int, tasks.Outcome) bool { return true },
			Cut: func(_ int, files []tasks.File) []tasks.Batch {
				return []tasks.Batch{newBatch(t, tr.ID, 1, strconv.FormatInt(files[0].No, 10))}
			},
		})
		if err != nil || len(retried.Batches) != 1 {
			t.Fatalf("%+v, %v", retried, err)
		}
		third := retried.Batches[0]
		b.record(t, &ledger.BatchCompletion{Batch: &third, Results: []tasks.Result{emitting(&third, 1, 10, 21, 30)}, FollowUp: finishing(&third)})
		if r := b.read(t, tr.ID); r.Emitted != 4 {
			t.Errorf("%d emitted; m1 has other content, and m2 is new", r.Emitted)
		}
		b.registerEmitted(t, ledger.EmittedPage{Transfer: tr.ID})
		files, err := b.Files(t.Context(), tr.ID, tasks.Ranges{{First: 4, Last: 9}})
		if err != nil || len(files) != 2 || files[0].Emitted.Name != "m1" || files[0].Size != 21 || files[1].Emitted.Name != "m2" {
			t.Errorf("%+v, %v", files, err)
		}
		b.checkCounters(t.Context(), t, tr.ID)
	})
}

// A collection has what its archives hold as long as it has the archives as they are.
func TestEmittedFilesOfACollection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		n := NewTransfer{Name: "run", RunKey: "key", Via: tasks.ViaBulk, Queue: "baler", Recipe: "steps: []"}
		n.Steps = []tasks.StepProgress{{Number: 1, Name: "extract", Handler: "noop"}}
		tr, _, err := b.Create(t.Context(), n)
		testkit.Must(t, err)
		testkit.Must(t, b.AddFiles(t.Context(), FileBatch{Transfer: tr.ID, Files: someFiles(2), RunKey: "key"}))
		_, err = b.Seal(t.Context(), tr.ID)
		testkit.Must(t, err)
		one := b.batch(t, tr.ID, "1-2")
		b.record(t, &ledger.BatchCompletion{
			Batch: one, Results: []tasks.Result{emitting(one, 1, 10), emitting(one, 2, 20)}, FollowUp: finishing(one),
		})
		b.registerEmitted(t, ledger.EmittedPage{Transfer: tr.ID, Collected: true})
		collected := func() (paths []string) {
			t.Helper()
			files, err := b.CollectionFiles(t.Context(), ledger.Collection{Transfer: tr.ID, RunKey: "key"}, tasks.FileKey{}, 10)
			testkit.Must(t, err)
			for _, f := range files {
				paths = append(paths, f.Path)
				if f.Emitted != nil && f.Emitted.Base != "/out" {
					t.Errorf("emission of %s: %+v", f.Path, f.Emitted)
				}
			}
			return paths
		}
		if got := fmt.Sprint(collected()); got != "[/data/000000 /data/000001 /out/1/m0 /out/2/m0]" {
			t.Errorf("collection %s", got)
		}
		if others, err := b.CountOthers(t.Context(), "key", tasks.FileKey{Transfer: tr.ID, File: 2}); err != nil || others != 1 {
			t.Errorf("%d others, %v; a scan meets no emitted files", others, err)
		}
		met := func(k tasks.FileKey) bool { return k.File == 1 }
		gone, err := b.RemoveGone(t.Context(), "key", GoneFilter{Met: met, Hidden: func(string) bool { return false }})
		testkit.Must(t, err)
		testkit.Must(t, b.RemoveOrphaned(t.Context(), "key"))
		if got := fmt.Sprint(collected()); got != "[/data/000000 /out/1/m0]" || gone != 1 {
			t.Errorf("collection %s, %d gone", got, gone)
		}
		// A member that fails brings its archive back into the next run.
		three := b.batch(t, tr.ID, "3")
		b.record(t, &ledger.BatchCompletion{Batch: three, Results: results(three, tasks.OutcomeFailed, 3), FollowUp: finishing(three)})
		seen, err := b.CompareFiles(t.Context(), "key", 0, someFiles(1))
		if err != nil || seen[0].Status != ledger.Failed {
			t.Errorf("the archive of a member that failed is %+v, %v", seen, err)
		}
		testkit.Must(t, b.AcceptFailures(t.Context(), "key", []tasks.FileKey{{Transfer: tr.ID, File: 1}}))
		if open, err := b.OpenFailures(t.Context(), "key"); err != nil || len(open) != 0 {
			t.Errorf("accepted with its archive, and still open: %v, %v", open, err)
		}
	})
}

// A transfer that was canceled when only emitted files were left has no result to retry.
func TestResumeEmitted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *env) {
		tr := b.transfer(t, 1)
		b.files(t, tr.ID, 1)
		one := b.batch(t, tr.ID, "1")
		testkit.Must(t, b.commit(t, tr.ID, 0, 1))
		b.record(t, &ledger.BatchCompletion{Batch: one, Results: []tasks.Result{emitting(one, 1, 10, 20)}, FollowUp: finishing(one)})
		resume := func(want int64) {
			t.Helper()
			if n, err := b.ResumeEmitted(t.Context(), tr.ID); err != nil || n != want {
				t.Errorf("%d files go on, want %d; %v", n, want, err)
			}
		}
		resume(0) // it is open
		if canceled, err := b.Cancel(t.Context(), tr.ID); err != nil || !canceled {
			t.Fatalf("canceled %v, %v", canceled, err)
		}
		resume(2)
		resume(0)
		if r := b.read(t, tr.ID); r.State != tasks.StateRunning || !r.EndedAt.IsZero() || r.Finished != 1 {
			t.Errorf("resumed: %+v", r)
		}
		b.registerEmitted(t, ledger.EmittedPage{Transfer: tr.ID})
		b.checkCounters(t.Context(), t, tr.ID)
		if r := b.read(t, tr.ID); r.Files != 3 {
			t.Errorf("registered: %+v", r)
		}
	})
}
