package systemtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// counting registers a handler that calls a function for each file.
func counting(t *testing.T, ran func(path string)) *handlers.Registry {
	t.Helper()
	return register(t, "counting", func(_ context.Context, j *handlers.Job) error {
		ran(j.File().Path)
		return nil
	})
}

const countingRecipe = "name: t\nsteps: [{handler: counting, batch: {max_items: 10}}, {handler: noop}]"

func run(t *testing.T, b *baler.Baler, s baler.Submission) baler.RunResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hung)
	defer cancel()
	ran, err := b.Run(ctx, s)
	if err != nil {
		t.Fatalf("run: %v; it is at %+v", err, ran.Transfer)
	}
	return ran
}

func TestRunAgainProcessesWhatChanged(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := testkit.NumberedTree(t, 50)
		var files atomic.Int64
		b := open(t, c, counting(t, func(string) { files.Add(1) }))
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, countingRecipe)}

		first := run(t, b, s)
		audit(t, b, first.Transfer)
		if !first.FoundChanges || first.Resumed || files.Load() != 50 {
			t.Errorf("the first run: %d files, changed %v, resumed %v", files.Load(), first.FoundChanges, first.Resumed)
		}
		second := run(t, b, s)
		if second.FoundChanges || second.Transfer.UUID != first.Transfer.UUID || files.Load() != 50 {
			t.Errorf("without changes: %d files, changed %v, transfer %s", files.Load(), second.FoundChanges, second.Transfer.UUID)
		}
		testkit.WriteFile(t, filepath.Join(root, "added"), "x")
		testkit.WriteFile(t, filepath.Join(root, "d000", "f00007.txt"), "changed in size")
		testkit.Must(t, os.Chtimes(filepath.Join(root, "d000", "f00008.txt"), time.Time{}, time.Now().Add(time.Hour)))
		testkit.Must(t, os.Remove(filepath.Join(root, "d000", "f00009.txt")))
		third := run(t, b, s)
		if audit(t, b, third.Transfer); third.Transfer.Files != 3 || files.Load() != 53 {
			t.Errorf("with one added and two changed files, %d were registered, %d ran", third.Transfer.Files, files.Load()-50)
		}
		if fourth := run(t, b, s); fourth.FoundChanges {
			t.Errorf("the fourth run did %+v", fourth.Transfer)
		}
		s.Recipe = yaml(t, "name: t\nsteps: [{handler: counting}]")
		if other := run(t, b, s); other.Transfer.Files != 50 {
			t.Errorf("another recipe took %d of 50 files", other.Transfer.Files)
		}
	})
}

// However often and wherever runs are interrupted, together they have the results of a
// single run.
func TestRunInterruptedAtAnyPoint(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files, tries = 400, 40
		c.Dispatch.Window, c.Worker.Grace = 8, 100*time.Millisecond
		var mu sync.Mutex
		ran := make(map[string]bool)
		var left atomic.Int64
		var interrupt atomic.Value
		// What comes after the interruption is handed back: however long the worker
		// takes to stop, it does not end the transfer.
		b := open(t, c, register(t, "counting", func(ctx context.Context, j *handlers.Job) error {
			switch n := left.Add(-1); {
			case n < 0:
				<-ctx.Done()
				return ctx.Err()
			case n == 0:
				interrupt.Load().(context.CancelFunc)()
			}
			mu.Lock()
			defer mu.Unlock()
			ran[j.File().Path] = true
			return nil
		}))
		s := baler.Submission{Paths: []string{testkit.NumberedTree(t, files)}, Recipe: yaml(t, countingRecipe)}
		attempt := func(try int) (baler.RunResult, error) {
			ctx, cancel := context.WithTimeout(t.Context(), hung)
			defer cancel()
			interrupt.Store(cancel)
			left.Store(rand.Int64N(files/4) + 1) // after so many files, or in the middle of the scan
			s.OnCreated = func(tasks.Transfer) {
				if try%4 == 1 {
					cancel()
				}
			}
			return b.Run(ctx, s)
		}
		last, err := attempt(0)
		interrupted := 0
		for ; errors.Is(err, context.Canceled) && interrupted < tries; last, err = attempt(interrupted) {
			interrupted++
		}
		if err != nil || interrupted < 3 {
			t.Fatalf("interrupted %d times: %v", interrupted, err)
		}
		if lines := audit(t, b, last.Transfer); len(lines) != 2*files || last.Transfer.Files != files || len(ran) != files {
			t.Errorf("%d files, %d results, %d ran", last.Transfer.Files, len(lines), len(ran))
		}
		s.OnCreated = nil
		if again := run(t, b, s); again.FoundChanges {
			t.Errorf("another run did %+v", again.Transfer)
		}
	})
}

// Later runs include failed files until they succeed, disappear, or are accepted as they
// are.
func TestRunOfFilesThatFail(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := testkit.NumberedTree(t, 10)
		bad := filepath.Join(root, "bad")
		testkit.WriteFile(t, bad, "x")
		var repaired atomic.Bool
		b := open(t, c, register(t, "picky", func(_ context.Context, j *handlers.Job) error {
			if name := filepath.Base(j.File().Path); name == "bad" && !repaired.Load() || name == "worse" {
				return handlers.Fail("bad", errors.New("it is bad"))
			}
			return nil
		}))
		s := baler.Submission{
			Paths: []string{root, filepath.Join(root, "missing")}, MissingOK: true, Recipe: yaml(t, "name: t\nsteps: [{handler: picky}]"),
		}
		first := run(t, b, s)
		audit(t, b, first.Transfer)
		if got := first.Transfer.Totals(); got.Failed != 2 || got.Succeeded != 10 {
			t.Errorf("counted %+v", got)
		}
		next := func(changes baler.RunChanges, registered, failed int64) {
			t.Helper()
			ran := run(t, b, s)
			open := int64(0)
			for _, f := range ran.Failures {
				open += f.Files
			}
			if ran.Changes != changes || open != failed || ran.FoundChanges != (registered > 0) || registered > 0 && ran.Transfer.Files != registered {
				t.Errorf("found %+v, registered %d, %d fail; want %+v, %d, %d", ran.Changes, ran.Transfer.Files, open, changes, registered, failed)
			}
		}
		next(baler.RunChanges{Unchanged: 10, Retried: 2}, 2, 2)
		testkit.WriteFile(t, filepath.Join(root, "missing"), "found")
		next(baler.RunChanges{Unchanged: 10, Retried: 1, Changed: 1}, 2, 1)
		repaired.Store(true)
		testkit.WriteFile(t, filepath.Join(root, "worse"), "x")
		next(baler.RunChanges{Unchanged: 11, Retried: 1, Added: 1}, 2, 1)

		s.AcceptFailures = true
		next(baler.RunChanges{Unchanged: 12, Accepted: 1}, 0, 0)
		s.AcceptFailures = false
		next(baler.RunChanges{Unchanged: 12, Accepted: 1}, 0, 0)
		testkit.WriteFile(t, filepath.Join(root, "worse"), "changed")
		next(baler.RunChanges{Unchanged: 12, Changed: 1}, 1, 1)
		testkit.Must(t, os.Remove(filepath.Join(root, "worse")))
		next(baler.RunChanges{Unchanged: 12, Gone: 1}, 0, 0)
	})
}

// rot changes the content of a file, but not its size and time.
func rot(t *testing.T, path, content string) {
	t.Helper()
	info, err := os.Stat(path)
	testkit.Must(t, err)
	testkit.WriteFile(t, path, content)
	testkit.Must(t, os.Chtimes(path, info.ModTime(), info.ModTime()))
}

// A reread finds content that has changed although size and time have not. It is reported
// until it is repaired; the earlier digest and the bag stay.
func TestRunReadsAgain(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root, out := filepath.Join(t.TempDir(), "in"), t.TempDir()
		testkit.Must(t, os.Mkdir(root, 0o700))
		for _, name := range []string{"a", "b", "c"} {
			testkit.WriteFile(t, filepath.Join(root, name), name)
		}
		b := open(t, c, nil)
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, fmt.Sprintf(bagAndManifest, out, out, out))}
		run(t, b, s)
		next := func(reread bool, changes baler.RunChanges, damaged int64, final string) {
			t.Helper()
			s.Reread = reread
			ran := run(t, b, s)
			if ran.Changes != changes || ran.DamagedFiles != damaged || int64(len(ran.Damaged)) != damaged || finalStepsText(ran.Final) != final {
				t.Errorf("found %+v, %d damaged, final steps %s; want %+v, %d, %s",
					ran.Changes, ran.DamagedFiles, finalStepsText(ran.Final), changes, damaged, final)
			}
			if text, err := os.ReadFile(filepath.Join(out, "bag/data/in/b")); err != nil || string(text) != "b" {
				t.Errorf("the bag has %q, %v", text, err)
			}
		}
		const done, refused = "completed bag:done/1 manifest:done/1 report:done/1", "completed bag:failed/1 manifest:done/1 report:done/1"
		next(true, baler.RunChanges{Reread: 3}, 0, done)
		rot(t, filepath.Join(root, "b"), "B")
		next(false, baler.RunChanges{Unchanged: 3}, 0, "")
		next(true, baler.RunChanges{Reread: 3}, 1, refused)
		next(false, baler.RunChanges{Unchanged: 2, Retried: 1}, 1, refused)
		rot(t, filepath.Join(root, "b"), "b")
		next(false, baler.RunChanges{Unchanged: 2, Retried: 1}, 0, done)
		next(false, baler.RunChanges{Unchanged: 3}, 0, "")

		s.Recipe, s.Reread = yaml(t, "name: t\nsplit: {lines: 8MiB}\nsteps: [{handler: noop}]"), true
		if _, err := b.Run(t.Context(), s); !errors.Is(err, baler.ErrRereadChunks) {
			t.Errorf("chunks: %v", err)
		}
	})
}

// When a source that had files is empty or missing, its disk may not be mounted.
func TestRunOfASourceThatIsEmptyNow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root, other, never := testkit.NumberedTree(t, 3), testkit.NumberedTree(t, 2), t.TempDir()
		b := open(t, c, counting(t, func(string) {}))
		s := baler.Submission{Paths: []string{root, other, never}, Recipe: yaml(t, countingRecipe), MissingOK: true}
		run(t, b, s)
		testkit.WriteFile(t, filepath.Join(other, "new"), "x")
		for _, away := range []func() error{
			func() error { return os.RemoveAll(filepath.Join(root, "d000")) },
			func() error { return os.Remove(root) },
		} {
			testkit.Must(t, away())
			if ran, err := b.Run(t.Context(), s); !errors.Is(err, baler.ErrSourceEmpty) || !strings.Contains(err.Error(), root) {
				t.Errorf("it did %+v, %v", ran, err)
			}
		}
		s.AllowEmpty = true
		if ran := run(t, b, s); ran.Changes != (baler.RunChanges{Added: 1, Unchanged: 2, Gone: 3}) || ran.Transfer.Files != 1 {
			t.Errorf("it found %+v and registered %d files", ran.Changes, ran.Transfer.Files)
		}
		testkit.Must(t, os.Mkdir(root, 0o700))
		s.AllowEmpty = false
		if ran := run(t, b, s); ran.Changes != (baler.RunChanges{Unchanged: 3}) {
			t.Errorf("it found %+v", ran.Changes)
		}
	})
}

// Files in a folder that cannot be read do not count as gone.
func TestRunOfAFolderThatCannotBeRead(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	onEach(t, func(t *testing.T, c config.Config) {
		root := testkit.NumberedTree(t, 101)
		b := open(t, c, counting(t, func(string) {}))
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, countingRecipe)}
		run(t, b, s)
		testkit.Must(t, os.Chmod(filepath.Join(root, "d000"), 0))
		ran := run(t, b, s)
		testkit.Must(t, os.Chmod(filepath.Join(root, "d000"), 0o700))
		if ran.Changes != (baler.RunChanges{Added: 1, Unchanged: 1}) || ran.Transfer.Totals().Failed != 1 {
			t.Errorf("it found %+v", ran.Changes)
		}
		if ran := run(t, b, s); ran.Changes != (baler.RunChanges{Unchanged: 101}) || len(ran.Failures) > 0 {
			t.Errorf("it found %+v, %+v", ran.Changes, ran.Failures)
		}
	})
}

// When an earlier transfer is paused, a run reports that not everything is done.
func TestRunReportsPausedTransfers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := testkit.NumberedTree(t, 2)
		b := open(t, c, counting(t, func(string) {}))
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, countingRecipe)}
		first := run(t, b, s).Transfer
		testkit.WriteFile(t, filepath.Join(root, "added"), "x")
		run(t, b, s)
		n, err := b.Retry(t.Context(), first, baler.ResultFilter{Outcomes: []tasks.Outcome{tasks.OutcomeSucceeded}})
		if err != nil || n != 2 {
			t.Fatalf("retried %d, %v", n, err)
		}
		_, err = b.Pause(t.Context(), first)
		testkit.Must(t, err)
		if ran := run(t, b, s); len(ran.Paused) != 1 || ran.Paused[0].ID != first.ID {
			t.Errorf("paused are %+v", ran.Paused)
		}
	})
}

// Two runs of the same paths at the same time, on one database, process each file once, and
// both end.
func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const files = 300
		root := testkit.NumberedTree(t, files)
		var ran atomic.Int64
		var ended sync.WaitGroup
		for i := range 2 {
			c.Worker.Name = fmt.Sprintf("worker-%d", i)
			b := open(t, c, counting(t, func(string) { ran.Add(1) }))
			ended.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), hung)
				defer cancel()
				got, err := b.Run(ctx, baler.Submission{Paths: []string{root}, Recipe: yaml(t, countingRecipe)})
				if err != nil {
					t.Errorf("run %d: %v; it is at %+v", i, err, got.Transfer)
				}
			})
		}
		ended.Wait()
		b := open(t, c, nil)
		all, err := b.Transfers(t.Context(), 0, 10)
		testkit.Must(t, err)
		registered := int64(0)
		for _, tr := range all {
			audit(t, b, tr)
			registered += tr.Files
		}
		if registered != files {
			t.Errorf("%d files registered in %d transfers, want %d", registered, len(all), files)
		}
	})
}
