package manifest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/builtintest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// oddNames are those that a list of lines has its trouble with.
func oddNames() []string {
	return []string{"plain", "with space", " leading", "trailing ", "back\\slash", "new\nline", "carriage\rreturn", "end\r", "*star",
		"quote\"'", "ünï", "no\xfftext", "%0A"}
}

func TestManifestIsWhatSha256sumChecks(t *testing.T) {
	t.Parallel()
	in, out := t.TempDir(), t.TempDir()
	var files []handlers.FinalFile
	for i, name := range oddNames() {
		files = append(files, builtintest.FinalFile(t, filepath.Join(in, name), fmt.Sprint("content ", i)))
	}
	step := builtintest.TryFinalizer(t, Finalize, handlertest.FinalizerDryRun{Files: files, Base: out, Args: map[string]any{"to": "a/b/sums"}})
	builtintest.WantStep(t, step, tasks.FinalizeDone, "")
	text, err := os.ReadFile(filepath.Join(out, "a/b/sums"))
	if err != nil || strings.Count(string(text), "\n") != len(files) {
		t.Fatalf("%v, %q", err, text)
	}
	if entries, err := os.ReadDir(filepath.Join(out, "a/b")); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	binary, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("there is no sha256sum here")
	}
	check := func(want bool) {
		t.Helper()
		// Older versions neither write nor read an escaped carriage return.
		said, err := exec.Command(binary, "--check", "--strict", filepath.Join(out, "a/b/sums")).CombinedOutput()
		if (err == nil) != want {
			t.Errorf("sha256sum: %v\n%s", err, said)
		}
	}
	if escapesReturns(t, binary, filepath.Join(in, "end\r")) {
		check(true)
		testkit.Must(t, os.WriteFile(files[5].Path, []byte("changed"), 0o600))
		check(false)
	}
}

// A manifest holds after its source has been moved, with every kind of source.
func TestManifestIsCheckedAfterAMove(t *testing.T) {
	t.Parallel()
	binary, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("there is no sha256sum here")
	}
	base := t.TempDir()
	at := func(name string) string { return filepath.Join(base, "before", name) }
	testkit.Must(t, os.MkdirAll(at("col/deep/er"), 0o755))
	var files []handlers.FinalFile
	for _, name := range []string{"col/a", "col/-", "col/ b", "col/deep/er/c", "col/deep/-", "col/new\nline"} {
		files = append(files, builtintest.FinalFile(t, at(name), "content of "+name))
	}
	testkit.Must(t, os.Mkdir(filepath.Join(base, "sums"), 0o755))
	trial := func(name string, files []handlers.FinalFile, sources ...string) {
		t.Helper()
		tr := tasks.Transfer{Files: int64(len(files))}
		for _, s := range sources {
			tr.Sources = append(tr.Sources, at(s))
		}
		builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, handlertest.FinalizerDryRun{
			Transfer: tr, Files: files, Base: base, Args: map[string]any{"to": "sums/" + name},
		}), tasks.FinalizeDone, "")
	}
	trial("folder", files, "col")
	trial("file", files[:1], "col/a")
	trial("both", files[3:5], "col/deep/er", "col/deep/-")
	trial("nested", files, "col/deep", "col")
	testkit.Must(t, os.Rename(at("col"), filepath.Join(base, "after")))
	for name, from := range map[string]string{"folder": "after", "file": "after", "both": "after/deep", "nested": "after"} {
		cmd := exec.Command(binary, "--check", "--strict", filepath.Join(base, "sums", name))
		cmd.Dir = filepath.Join(base, from)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
	}
}

func TestNamesInAManifest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sources    []string
		path, want string
	}{
		{[]string{"/"}, "/srv/a", "/srv/a"}, // a list of paths
		{nil, "/srv/a", "/srv/a"},
		{[]string{"/srv"}, "/srv/a", "a"},
		{[]string{"/srv"}, "/srvs/a", "/srvs/a"},
		{[]string{"/srv/a", "/home/b"}, "/srv/a/x", "/srv/a/x"},
		{[]string{"/srv/a", "/srv/ab"}, "/srv/ab/x", "ab/x"},
	} {
		if got := name(handlers.CommonFolder(c.sources), c.path); got != c.want {
			t.Errorf("%s of %v is %s, want %s", c.path, c.sources, got, c.want)
		}
	}
}

func escapesReturns(t *testing.T, binary, path string) bool {
	t.Helper()
	line, err := exec.Command(binary, path).Output()
	testkit.Must(t, err)
	return strings.HasPrefix(string(line), `\`)
}

func TestChecksumLine(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/a b":  "d  /a b\n",
		"/a\\n": "\\d  /a\\\\n\n",
		"/a\nb": "\\d  /a\\nb\n",
		"/a\rb": "\\d  /a\\rb\n",
	} {
		if got := checksumLine("d", path); got != want {
			t.Errorf("%q gives %q, want %q", path, got, want)
		}
	}
}

func TestManifestNamesFilesWithoutADigest(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	var files []handlers.FinalFile
	for i := range 7 {
		files = append(files, handlers.FinalFile{File: tasks.File{Path: fmt.Sprintf("/x/%d", i)}})
	}
	files = append(files, handlers.FinalFile{File: tasks.File{Path: "/x/well"}, Facts: map[string]any{"md5": "abc"}}, handlers.FinalFile{File: tasks.File{Path: "/x/odd"}, Facts: map[string]any{"md5": 7}})
	step := builtintest.TryFinalizer(t, Finalize, handlertest.FinalizerDryRun{Files: files, Base: out, Args: map[string]any{"to": "sums", "algorithm": "md5"}})
	builtintest.WantStep(t, step, tasks.FinalizeDone, `digest-missing: 8 of 9 files have no md5 and are not listed: "/x/0", "/x/1", "/x/2", "/x/3", "/x/4", …`)
	if text, err := os.ReadFile(filepath.Join(out, "sums")); err != nil || string(text) != "abc  /x/well\n" {
		t.Errorf("%q, %v", text, err)
	}
}

// More than a page of files, all of them listed.
func TestManifestOfManyFiles(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	const n = 3*500 + 1
	files := make([]handlers.FinalFile, n)
	for i := range files {
		files[i] = handlers.FinalFile{File: tasks.File{Path: fmt.Sprint("/x/", i)}, Facts: map[string]any{"sha256": "d"}}
	}
	builtintest.WantStep(t, builtintest.TryFinalizer(t, Finalize, handlertest.FinalizerDryRun{Files: files, Base: out, Args: map[string]any{"to": "sums"}}), tasks.FinalizeDone, "")
	text, err := os.ReadFile(filepath.Join(out, "sums"))
	if err != nil || strings.Count(string(text), "\n") != n || !strings.HasSuffix(string(text), fmt.Sprintf("d  /x/%d\n", n-1)) {
		t.Errorf("%v, %d lines", err, strings.Count(string(text), "\n"))
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	builtintest.WantArgs(t, Register, "manifest", map[string]any{"to": "/x"}, map[string]any{
		"to is missing":           map[string]any{},
		`unknown paths "short"`:   map[string]any{"to": "/x", "paths": "short"},
		`unknown algorithm "crc"`: map[string]any{"to": "/x", "algorithm": "crc"},
		"there is no argument":    map[string]any{"to": "/x", "into": 1},
	})
}
