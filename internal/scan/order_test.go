package scan_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// wantOrder checks that of every two emitted paths the earlier one is the lesser.
func wantOrder(t rapid.TB, sources []string, emitted []string) {
	t.Helper()
	starts, err := scan.ResolveSources(sources)
	testkit.Must(t, err)
	for i, a := range emitted {
		for j, b := range emitted {
			if got := scan.SourceOrder(starts, a, b); got != (i < j) {
				t.Fatalf("sources %q: %q comes as %d, %q as %d, but less is %v", sources, a, i, b, j, got)
			}
		}
	}
}

func TestSourceOrder(t *testing.T) {
	ordered := []string{
		"/s/a", "/s/a/b", "/s/a/b/c", "/s/a b", "/s/a-b", "/s/a.b/c", "/s/ab", "/s/b", "/s/\xff",
		"/other/deep/er", "/other/0",
		"/r", "/s2",
	}
	sources := []string{"/s", "/other/deep", "/other"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := scan.SourceOrder(sources, a, b); got != (i < j) {
				t.Errorf("%q before %q: %v", a, b, got)
			}
		}
	}
	if !scan.SourceOrder([]string{"/"}, "/a/b", "/a-b") {
		t.Error("the root is no source of what is below it")
	}
}

// For any names and any overlap of sources, SourceOrder is the order of Scan.
func TestSourceOrderIsScansOrder(t *testing.T) {
	names := rapid.SampledFrom([]string{"a", "b", "a-b", "a b", "a\x01", "a.", "ab", "a!b", "-", " ", "A", "\xffz", "é"})
	rapid.Check(t, func(rt *rapid.T) {
		root, err := filepath.EvalSymlinks(t.TempDir())
		testkit.Must(t, err)
		paths := []string{""}
		for range rapid.IntRange(1, 25).Draw(rt, "entries") {
			// A path below an existing file cannot be made, and is left out.
			path := filepath.Join(append([]string{root}, rapid.SliceOfN(names, 1, 3).Draw(rt, "path")...)...)
			if os.MkdirAll(filepath.Dir(path), 0o700) != nil || os.WriteFile(path, nil, 0o600) != nil {
				continue
			}
			for dir := path; dir != root; dir = filepath.Dir(dir) {
				paths = append(paths, dir[len(root):])
			}
		}
		if rapid.Bool().Draw(rt, "link") {
			if target := rapid.SampledFrom(paths).Draw(rt, "target"); os.Symlink(root+target, root+"/link") == nil {
				paths = append(paths, "/link")
			}
		}
		slices.Sort(paths)
		paths = append(slices.Compact(paths), "/gone", "/a/gone")
		sources := rapid.SliceOfN(rapid.SampledFrom(paths), 1, 5).Draw(rt, "sources")
		for i := range sources {
			sources[i] = root + sources[i]
		}
		var emitted []string
		_, err = scan.Scan(t.Context(), sources, scan.Options{}, func(f tasks.File) error {
			emitted = append(emitted, f.Path)
			return nil
		})
		testkit.Must(t, err)
		wantOrder(rt, sources, emitted)
	})
}
