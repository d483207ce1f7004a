package systemtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// byPath returns a function that finds a result by its step and the end of its path.
func byPath(t *testing.T, lines []tasks.ResultLine) func(step, suffix string) tasks.ResultLine {
	return func(step, suffix string) tasks.ResultLine {
		t.Helper()
		for _, l := range lines {
			if l.Step == step && strings.HasSuffix(l.Path, suffix) {
				return l
			}
		}
		t.Errorf("no result of %q at step %s", suffix, step)
		return tasks.ResultLine{}
	}
}

// Unusual files of real disks, and paths with typing errors.
func TestFilesOfEveryKind(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root, outside := t.TempDir(), t.TempDir()
		in := func(name string) string { return filepath.Join(root, name) }
		testkit.WriteFile(t, in("plain.txt"), "plain")
		testkit.WriteFile(t, in("empty"), "")
		testkit.WriteFile(t, in("line\nfeed"), "x")
		testkit.WriteFile(t, in("latin\xe9\xff"), "x")
		testkit.WriteFile(t, in("smile😀.txt"), "x")
		testkit.WriteFile(t, in("quote'\"\\ `$(x).txt"), "x")
		testkit.WriteFile(t, in(strings.Repeat("n", 255)), "x")
		testkit.WriteFile(t, filepath.Join(outside, "secret"), "x")
		testkit.Must(t, os.Mkdir(in("hollow"), 0o700))
		testkit.Must(t, os.Symlink(".", in("loop")))
		testkit.Must(t, os.Symlink(filepath.Join(outside, "secret"), in("out")))
		testkit.Must(t, os.Symlink("plain.txt", in("within")))
		testkit.Must(t, os.Symlink("nowhere", in("dangling")))
		giant, err := os.Create(in("giant"))
		testkit.Must(t, err)
		testkit.Must(t, giant.Truncate(1<<40))
		testkit.Must(t, giant.Close())

		notices := 0
		b := open(t, c, nil)
		work(t, b)
		tr := submit(t, b, baler.Submission{
			Paths: []string{root, filepath.Join(outside, "missing")}, MissingOK: true,
			Recipe: yaml(t, `name: all
steps: [{handler: noop}, {handler: identify, when: "size < 1000000"}, {handler: checksum, when: "size < 1000000"}]`),
			OnSkipped: func(scan.SkippedEntry) { notices++ },
		})
		tr = wait(t, b, tr.UUID)
		lines := audit(t, b, tr)
		at := byPath(t, lines)
		if tr.Files != 9 || notices != 4 {
			t.Errorf("%d files and %d notices, want 9 and 4", tr.Files, notices)
		}
		if l := at("noop", "missing"); l.Outcome != tasks.OutcomeFailed || l.Code != handlers.CodeNotFound {
			t.Errorf("the missing path ended as %+v", l)
		}
		for _, name := range []string{"plain.txt", "empty", "line\nfeed", "latin\uFFFD", "smile😀.txt", "`$(x).txt", "nnn"} {
			if l := at("checksum", name); l.Outcome != tasks.OutcomeSucceeded || !strings.Contains(string(l.Facts), "sha256") {
				t.Errorf("%q ended as %+v", name, l)
			}
		}
		if l := at("noop", "latin\uFFFD"); string(l.PathBytes) != in("latin\xe9\xff") {
			t.Errorf("the bytes of the path are %q", l.PathBytes)
		}
		if l := at("noop", "smile😀.txt"); l.PathBytes != nil || l.Path != in("smile😀.txt") {
			t.Errorf("a path in UTF-8 came back as %q, %q", l.Path, l.PathBytes)
		}
		if l := at("noop", "giant"); l.Outcome.IsFailure() {
			t.Errorf("the sparse file ended as %+v", l)
		}
	})
}

// Between the scan and the step a file can change, disappear, or become something else.
func TestFilesThatChangeAfterTheScan(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		root, outside := t.TempDir(), t.TempDir()
		in := func(name string) string { return filepath.Join(root, name) }
		for _, name := range []string{"grows", "goes", "folder", "escapes", "stays"} {
			testkit.WriteFile(t, in(name), "before")
		}
		testkit.WriteFile(t, filepath.Join(outside, "secret"), "secret")
		if len(c.Roots) > 0 {
			c.Roots = []string{root}
		}
		b := open(t, c, nil)
		tr := submit(t, b, baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "checksum")})
		testkit.WriteFile(t, in("grows"), "before and after")
		testkit.Must(t, os.Remove(in("goes")))
		testkit.Must(t, os.Remove(in("folder")))
		testkit.Must(t, os.Mkdir(in("folder"), 0o700))
		testkit.Must(t, os.Remove(in("escapes")))
		testkit.Must(t, os.Symlink(filepath.Join(outside, "secret"), in("escapes")))
		work(t, b)
		tr = wait(t, b, tr.UUID)
		at := byPath(t, audit(t, b, tr))
		for name, code := range map[string]string{
			"goes": handlers.CodeNotFound, "folder": handlers.CodeNotAFile, "escapes": handlers.CodeOutsideRoots,
		} {
			if l := at("checksum", name); l.Outcome != tasks.OutcomeFailed || l.Code != code {
				t.Errorf("%s ended as %s %s: %s", name, l.Outcome, l.Code, l.Error)
			}
		}
		if l := at("checksum", "stays"); l.Outcome != tasks.OutcomeSucceeded {
			t.Errorf("its neighbour ended as %+v", l)
		}
		if l := at("checksum", "grows"); l.Outcome.IsFailure() {
			t.Errorf("the file that grew ended as %+v", l)
		}
	})
}

func TestFileThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	onEach(t, func(t *testing.T, c config.Config) {
		root := t.TempDir()
		testkit.WriteFile(t, filepath.Join(root, "private"), "x")
		testkit.Must(t, os.Chmod(filepath.Join(root, "private"), 0))
		testkit.Must(t, os.Mkdir(filepath.Join(root, "closed"), 0))
		b := open(t, c, nil)
		work(t, b)
		tr := wait(t, b, submit(t, b, baler.Submission{Paths: []string{root}, Recipe: builtinRecipe(t, "checksum")}).UUID)
		for _, l := range audit(t, b, tr) {
			if l.Outcome != tasks.OutcomeFailed || l.Code != handlers.CodeNotPermitted {
				t.Errorf("%s ended as %s %s", l.Path, l.Outcome, l.Code)
			}
		}
	})
}

func TestNothingToDo(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		b := open(t, c, nil)
		work(t, b)
		for _, via := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup} {
			tr := wait(t, b, submit(t, b, baler.Submission{Paths: []string{t.TempDir()}, Recipe: builtinRecipe(t, "default"), Via: via}).UUID)
			if lines := audit(t, b, tr); len(lines) > 0 || tr.Files > 0 {
				t.Errorf("%s: an empty folder has %d files, %d results", via, tr.Files, len(lines))
			}
			never := yaml(t, "name: never\nsteps: [{handler: noop, when: 'size < 0'}]")
			tr = wait(t, b, submit(t, b, baler.Submission{Paths: []string{testkit.NumberedTree(t, 30)}, Recipe: never, Via: via}).UUID)
			if lines := audit(t, b, tr); len(lines) > 0 || tr.Finished != 30 {
				t.Errorf("%s: %d finished, %d results", via, tr.Finished, len(lines))
			}
		}
	})
}

// A file that the rules of a step leave out has no result there, and continues with the
// next step.
func TestRulesLeaveFilesOut(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		b := open(t, c, nil)
		work(t, b)
		root := t.TempDir()
		for i := range 20 {
			testkit.WriteFile(t, filepath.Join(root, fmt.Sprintf("%d.txt", i)), "text")
			testkit.WriteFile(t, filepath.Join(root, fmt.Sprintf("%d.log", i)), "log")
			testkit.WriteFile(t, filepath.Join(root, fmt.Sprintf("%d.other", i)), "\x00\x01\x02\x03")
		}
		r := yaml(t, `name: ruled
steps:
  - handler: identify
  - name: sum
    handler: checksum
    with: {algorithms: [sha256]}
    rules:
      - {name: logs, ext: log, nothing: true}
      - {name: text, mime: text/plain, with: {algorithms: [md5]}}
      - {name: rest, when: 'name startsWith "1"'}
  - handler: noop`)
		for _, via := range []tasks.Via{tasks.ViaBulk, tasks.ViaGroup} {
			lines := audit(t, b, wait(t, b, submit(t, b, baler.Submission{Paths: []string{root}, Recipe: r, Via: via}).UUID))
			got := make(map[string]int)
			for _, l := range lines {
				name := l.Step + filepath.Ext(l.Path)
				if l.Step == "sum" && strings.Contains(string(l.Facts), "md5") {
					name += " md5"
				}
				got[name]++
			}
			want := map[string]int{
				"identify.txt": 20, "identify.log": 20, "identify.other": 20, "sum.txt md5": 20, "sum.other": 11,
				"noop.txt": 20, "noop.log": 20, "noop.other": 20,
			}
			if !maps.Equal(got, want) {
				t.Errorf("%s: results %v, want %v", via, got, want)
			}
		}
	})
}

func TestCheckRecipeNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		b := open(t, c, nil)
		err := b.CheckRecipe(t.Context(), yaml(t, "name: t\nsteps:\n  - handler: chekcsum\n  - handler: nobody-has-it\n  - {handler: checksum, with: {algorithms: [rot13]}}"))
		for _, want := range []string{"chekcsum", "checksum", "nobody-has-it", "rot13"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %q: %v", want, err)
			}
		}
		if err := b.CheckRecipe(t.Context(), builtinRecipe(t, "default")); err != nil {
			t.Errorf("a correct recipe: %v", err)
		}
		_, err = b.Transfer(t.Context(), "0195506f-8c00-7000-8000-000000000001")
		if !errors.Is(err, tasks.ErrTransferNotFound) {
			t.Errorf("an ID that does not exist: %v", err)
		}
	})
}

// CheckRecipe accepts a handler that only another live worker has.
func TestCheckRecipeAsksTheWorkers(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		own := yaml(t, "name: t\nsteps: [{handler: own}]")
		b := open(t, c, nil)
		if err := b.CheckRecipe(t.Context(), own); err == nil {
			t.Error("no error although no worker has the handler")
		}
		c.Worker.Name = "elsewhere"
		work(t, open(t, c, register(t, "own", func(context.Context, *handlers.Job) error { return nil })))
		eventually(t, func() error { return b.CheckRecipe(t.Context(), own) })
	})
}

func TestSubmissionWithoutARecipeIsRefused(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		b := open(t, c, nil)
		s := baler.Submission{Paths: []string{testkit.NumberedTree(t, 1)}}
		_, _, submitErr := b.Submit(t.Context(), s)
		_, runErr := b.Run(t.Context(), s)
		for _, err := range []error{submitErr, runErr} {
			if err == nil || !strings.Contains(err.Error(), "has no Recipe") {
				t.Errorf("%v, want an error about the recipe", err)
			}
		}
	})
}
