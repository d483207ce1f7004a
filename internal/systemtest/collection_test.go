package systemtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

const bagAndManifest = "name: x\nsteps:\n  - handler: checksum\nfinally:\n  - handler: bag\n    with: {to: '%s/bag'}\n" +
	"  - handler: manifest\n    with: {to: '%s/sums'}\n  - handler: report\n    with: {to: '%s/report.json'}\n"

// holds checks the names of the files in a bag and in a manifest.
func holds(t *testing.T, out, want string) {
	t.Helper()
	if got := listing(t, filepath.Join(out, "bag", "data", "in")); got != want {
		t.Errorf("the bag holds %s, want %s", got, want)
	}
	text, err := os.ReadFile(filepath.Join(out, "sums"))
	testkit.Must(t, err)
	names := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		names[name] = true
	}
	for name := range strings.FieldsSeq(want) {
		if !names[name] {
			t.Errorf("the manifest lacks %s:\n%s", name, text)
		}
	}
	if n := strings.Count(string(text), "\n"); n != len(strings.Fields(want)) {
		t.Errorf("the manifest has %d lines, want %s:\n%s", n, want, text)
	}
	if text, err = os.ReadFile(filepath.Join(out, "report.json")); err != nil ||
		!strings.Contains(string(text), fmt.Sprintf(`"collection":{"files":%d,`, len(strings.Fields(want)))) {
		t.Errorf("the report says %s, %v", text, err)
	}
}

// Another run of the same sources writes a bag, a manifest and a report of all files.
func TestRunAgainWritesTheWholeCollection(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root, out := filepath.Join(t.TempDir(), "in"), t.TempDir()
		testkit.Must(t, os.Mkdir(root, 0o700))
		for _, name := range []string{"a", "b", "c"} {
			testkit.WriteFile(t, filepath.Join(root, name), name)
		}
		b := open(t, c, nil)
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, fmt.Sprintf(bagAndManifest, out, out, out))}
		done := func(want string) {
			t.Helper()
			ran := run(t, b, s)
			if got := finalStepsText(ran.Transfer); got != "completed bag:done/1 manifest:done/1 report:done/1" {
				t.Errorf("it is %s: %+v", got, ran.Transfer.Finalizers)
			}
			holds(t, out, want)
		}
		done("a b c")
		testkit.WriteFile(t, filepath.Join(root, "d"), "d")
		testkit.WriteFile(t, filepath.Join(root, "b"), "changed")
		done("a b c d")
		testkit.Must(t, os.Remove(filepath.Join(root, "a")))
		testkit.WriteFile(t, filepath.Join(root, "b"), "changed again")
		done("b c d")

		// Without files to process, only missing files are left out.
		testkit.Must(t, os.Remove(filepath.Join(root, "b")))
		ran := run(t, b, s)
		if got := finalStepsText(ran.Final); ran.FoundChanges || got != "completed bag:done/1 manifest:done/1 report:done/1" || ran.Changes.Gone != 1 {
			t.Errorf("it is %s, %+v", got, ran.Changes)
		}
		holds(t, out, "c d")
		if ran := run(t, b, s); ran.FoundChanges || ran.Final.UUID != "" {
			t.Errorf("without changes it did %+v", ran)
		}

		// Files that a person put there stay.
		testkit.WriteFile(t, filepath.Join(out, "bag", "note"), "mine")
		testkit.WriteFile(t, filepath.Join(out, "sums"), "mine")
		testkit.WriteFile(t, filepath.Join(root, "e"), "e")
		ran = run(t, b, s)
		for i, step := range ran.Transfer.Finalizers[:2] {
			if step.State != tasks.FinalizeFailed || !strings.HasPrefix(step.Error, "destination-exists: ") {
				t.Errorf("step %d is %+v", i+1, step)
			}
		}
		for _, name := range []string{"bag/note", "sums"} {
			if text, err := os.ReadFile(filepath.Join(out, name)); err != nil || string(text) != "mine" {
				t.Errorf("%s contains %q, %v", name, text, err)
			}
		}
	})
}

// The final steps of a transfer that no run began use the files of that transfer only. They
// do not replace what another transfer wrote.
func TestSubmitReplacesNoOutputOfAnother(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		out := t.TempDir()
		c.Outputs = []string{out}
		b := open(t, c, nil)
		work(t, b)
		submit := func() tasks.Transfer {
			tr, _, err := b.Submit(t.Context(), baler.Submission{Paths: []string{testkit.NumberedTree(t, 2)}, Recipe: yaml(t, fmt.Sprintf(bagAndManifest, out, out, out))})
			testkit.Must(t, err)
			return wait(t, b, tr.UUID)
		}
		first := submit()
		before, err := os.ReadFile(filepath.Join(out, "sums"))
		testkit.Must(t, err)
		if got := finalStepsText(submit()); got != "completed bag:failed/1 manifest:failed/1 report:failed/1" {
			t.Errorf("the second is %s", got)
		}
		if now, err := os.ReadFile(filepath.Join(out, "sums")); err != nil || string(now) != string(before) {
			t.Errorf("the manifest is %q now, %v", now, err)
		}
		testkit.Must(t, os.Chtimes(filepath.Join(first.Sources[0], "d000", "f00000.txt"), time.Time{}, time.Now()))
		if n, err := b.Retry(t.Context(), first, baler.ResultFilter{Outcomes: []tasks.Outcome{tasks.OutcomeSucceeded}}); err != nil || n != 2 {
			t.Fatalf("retried %d, %v", n, err)
		}
		if got := finalStepsText(wait(t, b, first.UUID)); got != "completed bag:done/1 manifest:done/1 report:done/1" {
			t.Errorf("the first is %s after a retry", got)
		}
	})
}

// When a recipe gets another final step, the next run runs only that step, over the
// existing results.
func TestRunRunsFinalStepsThatHaveNotRun(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root, out := testkit.NumberedTree(t, 3), t.TempDir()
		b := open(t, c, nil)
		const steps = "name: x\nsteps:\n  - handler: checksum\n"
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, steps)}
		first := run(t, b, s)
		sums := "  - handler: manifest\n    with: {to: '" + out + "/sums'}\n"
		s.Recipe = yaml(t, steps+"finally:\n"+sums)
		ran := run(t, b, s)
		if got := finalStepsText(ran.Final); ran.FoundChanges || ran.Transfer.ID != first.Transfer.ID || got != "completed manifest:done/1" {
			t.Errorf("it is %s: %+v", got, ran)
		}
		text, err := os.ReadFile(filepath.Join(out, "sums"))
		if err != nil || strings.Count(string(text), "\n") != 3 {
			t.Errorf("%q, %v", text, err)
		}

		// A report is added before it; the manifest is not written again.
		report := "  - handler: report\n    with: {to: '" + filepath.Join(out, "sums") + "/report.json'}\n"
		s.Recipe = yaml(t, steps+"finally:\n"+report+sums)
		for range 2 { // the next run retries a failed step
			if got := finalStepsText(run(t, b, s).Final); got != "completed report:failed/3" {
				t.Errorf("it is %s", got)
			}
		}
		testkit.Must(t, os.Remove(filepath.Join(out, "sums")))
		if got := finalStepsText(run(t, b, s).Final); got != "completed report:done/1" {
			t.Errorf("it is %s", got)
		}
		if ran := run(t, b, s); ran.FoundChanges || ran.Final.UUID != "" {
			t.Errorf("without changes it did %+v", ran)
		}
	})
}

// A bag inside its source is refused before any file is registered. A manifest there does
// not count as a file of the source.
func TestOutputsInsideTheirSource(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root := testkit.NumberedTree(t, 3)
		b := open(t, c, nil)
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, fmt.Sprintf(bagAndManifest, root, root, root))}
		_, runErr := b.Run(t.Context(), s)
		_, _, submitErr := b.Submit(t.Context(), s)
		if !errors.Is(runErr, baler.ErrOutputInSource) || !errors.Is(submitErr, baler.ErrOutputInSource) {
			t.Errorf("run: %v; submit: %v", runErr, submitErr)
		}
		if all, err := b.Transfers(t.Context(), 0, 10); err != nil || len(all) > 0 {
			t.Errorf("registered: %+v, %v", all, err)
		}
		s.Recipe = yaml(t, fmt.Sprintf(bagAndManifest, t.TempDir(), root, root))
		for _, name := range []string{"", "added"} {
			if name != "" {
				testkit.WriteFile(t, filepath.Join(root, name), name)
			}
			ran := run(t, b, s)
			if got := finalStepsText(ran.Transfer); got != "completed bag:done/1 manifest:done/1 report:done/1" || ran.Changes.Added != ran.Transfer.Files {
				t.Errorf("it is %s, %+v", got, ran.Changes)
			}
		}
		text, err := os.ReadFile(filepath.Join(root, "sums"))
		if err != nil || strings.Count(string(text), "\n") != 4 {
			t.Errorf("%q, %v", text, err)
		}
	})
}

// Final steps also read folders and checksum lists. When these have changed, the steps that
// read them run again, and no others.
func TestRunAgainKnowsFoldersAndLists(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root, out := filepath.Join(t.TempDir(), "in"), t.TempDir()
		testkit.Must(t, os.Mkdir(root, 0o700))
		testkit.WriteFile(t, filepath.Join(root, "a"), "a")
		list := filepath.Join(out, "list")
		sum := "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  " + filepath.Join(root, "a") + "\n"
		testkit.WriteFile(t, list, sum)
		c.Roots = []string{filepath.Dir(root), out}
		b := open(t, c, nil)
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, fmt.Sprintf(bagAndManifest, out, out, out)+
			fmt.Sprintf("  - handler: verify\n    with: {lists: ['%s']}\n", list))}
		run(t, b, s)
		again := func(want string) {
			t.Helper()
			ran := run(t, b, s)
			var steps []string
			for _, f := range ran.Final.Finalizers {
				steps = append(steps, fmt.Sprintf("%s:%s", f.Name, f.State))
			}
			if got := strings.Join(steps, " "); ran.FoundChanges || got != want {
				t.Errorf("it ran %q, want %q: %+v", got, want, ran.Final.Finalizers)
			}
		}
		again("")
		testkit.Must(t, os.MkdirAll(filepath.Join(root, "none", "at all"), 0o700))
		again("bag:done")
		again("")
		if info, err := os.Stat(filepath.Join(out, "bag", "data", "in", "none", "at all")); err != nil || !info.IsDir() {
			t.Errorf("the bag lacks the empty folder: %v", err)
		}
		touch(t, filepath.Join(root, "none"))
		again("bag:done")
		testkit.Must(t, os.RemoveAll(filepath.Join(root, "none")))
		again("bag:done")
		if got := listing(t, filepath.Join(out, "bag", "data", "in")); got != "a" {
			t.Errorf("the bag holds %s", got)
		}
		testkit.WriteFile(t, list, sum+strings.Replace(sum, "/a\n", "/b\n", 1))
		again("verify:failed")
		testkit.Must(t, os.Mkdir(filepath.Join(out, "bag", "mine"), 0o700))
		testkit.WriteFile(t, list, sum)
		touch(t, root)
		again("bag:failed verify:done")
	})
}

// A run that only tries a failed file again runs the final steps in the same transfer, once.
func TestRetriedFileRunsFinalStepsOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root, out := filepath.Join(t.TempDir(), "in"), t.TempDir()
		testkit.WriteTree(t, root, "a", "b")
		var repaired atomic.Bool
		b := open(t, c, register(t, "picky", func(_ context.Context, j *handlers.Job) error {
			if filepath.Base(j.File().Path) == "b" && !repaired.Load() {
				return handlers.Fail("bad", errors.New("it is bad"))
			}
			return nil
		}))
		s := baler.Submission{Paths: []string{root}, Recipe: yaml(t, "name: x\nsteps:\n  - handler: picky\n  - handler: checksum\n"+
			"finally:\n  - handler: manifest\n    with: {to: '"+out+"/sums'}\n")}
		run(t, b, s)
		repaired.Store(true)
		ran := run(t, b, s)
		if got := finalStepsText(ran.Transfer); got != "completed manifest:done/1" || ran.Final.ID != 0 || ran.Changes.Retried != 1 {
			t.Errorf("it is %s, and then %+v", got, ran.Final)
		}
		text, err := os.ReadFile(filepath.Join(out, "sums"))
		if err != nil || strings.Count(string(text), "\n") != 2 {
			t.Errorf("%q, %v", text, err)
		}
		if again := run(t, b, s); again.FoundChanges || again.Final.ID != 0 {
			t.Errorf("another run did %+v", again)
		}
	})
}
