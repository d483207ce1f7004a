package scan_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestScanOrder(t *testing.T) {
	root := tree(t, "b/2", "b/10", "b/1/x", "a", "b.txt", "c/", "empty/deep/")
	testkit.Must(t, os.WriteFile(filepath.Join(root, "c", "nothing in it"), nil, 0o600))
	scanAll(t, root, nil, "").want(t, "a", "b/1/x", "b/10", "b/2", "b.txt", "c/nothing in it")
	scanAll(t, root, nil, "c", "b.txt", "a").want(t, "c/nothing in it", "b.txt", "a")
}

func TestScanTellsSizeAndTime(t *testing.T) {
	root := tree(t, "four")
	stamp := time.Date(2021, 5, 6, 7, 8, 9, 123456789, time.FixedZone("", 3600))
	testkit.Must(t, os.Chtimes(filepath.Join(root, "four"), stamp, stamp))
	s := scanAll(t, root, nil, "")
	want := tasks.File{
		Path: filepath.Join(root, "four"), Size: 4,
		MTime: time.Date(2021, 5, 6, 6, 8, 9, 123456000, time.UTC),
	}
	if len(s.files) != 1 || s.files[0] != want {
		t.Errorf("got %+v, want %+v", s.files, want)
	}
}

func TestScanMakesRelativeSourcesAbsolute(t *testing.T) {
	root := tree(t, "x/y", "z")
	t.Chdir(filepath.Join(root, "x"))
	s := &seen{root: root}
	var err error
	s.report, err = scan.Scan(t.Context(), []string{"./y", "../x/../z"}, scan.Options{}, s.emit)
	testkit.Must(t, err)
	s.want(t, "x/y", "z")
}

func TestScanOfOverlappingSources(t *testing.T) {
	root := tree(t, "a/b/c", "a/d", "ab/e")
	testkit.Must(t, os.Symlink("a", filepath.Join(root, "link")))
	want := []string{"a/b/c", "a/d"}

	for name, sources := range map[string][]string{
		"nested":                 {"a", "a/b"},
		"nested, inner first":    {"a/b/c", "a"},
		"a file in its folder":   {"a", "a/d"},
		"repeated":               {"a", "a"},
		"through a link":         {"a", "link"},
		"through a link, nested": {"link", "a/b"},
		"below a link":           {"a", "link/b"},
	} {
		t.Run(name, func(t *testing.T) { scanAll(t, root, nil, sources...).want(t, want...) })
	}
	t.Run("only the same beginning", func(t *testing.T) {
		scanAll(t, root, nil, "a", "ab").want(t, "a/b/c", "a/d", "ab/e")
	})
	t.Run("everything", func(t *testing.T) {
		scanAll(t, root, nil, "ab", "link", "").want(t, "a/b/c", "a/d", "ab/e")
	})
}

func TestScanKeepsWhatIsMissing(t *testing.T) {
	root := tree(t, "a/b")
	scanAll(t, root, nil, "gone", "a", "a/gone too", "gone").want(t, "gone !not-found", "a/b", "a/gone too !not-found")
	long := strings.Repeat("n", 300)
	scanAll(t, root, nil, long, "a").want(t, long+" !unreadable", "a/b")
	scanAll(t, root, nil, "a/b/c").want(t, "a/b/c !unreadable")
}

func TestScanGoesOnAfterWhatVanishes(t *testing.T) {
	root := tree(t, "1", "2", "3/x", "4/x", "5")
	s := &seen{root: root}
	var err error
	s.report, err = scan.Scan(t.Context(), []string{root}, scan.Options{}, func(f tasks.File) error {
		if f.Path == filepath.Join(root, "1") { // by now the names are read
			testkit.Must(t, os.Remove(filepath.Join(root, "2")))
			testkit.Must(t, os.RemoveAll(filepath.Join(root, "3")))
		}
		return s.emit(f)
	})
	testkit.Must(t, err)
	s.want(t, "1", "2 !not-found", "3 !not-found", "4/x", "5")
	if p := s.files[1].ScanError; strings.Contains(p, root) {
		t.Errorf("problem %q repeats the path", p)
	}
}

func TestScanExcludes(t *testing.T) {
	root := tree(t, "a/1", "a/state/2", "a/state/deep/3", "a/statement", "b/4")
	state := filepath.Join(root, "a/state")
	scanAll(t, root, []string{state}, "a").want(t, "a/1", "a/statement")
	scanAll(t, root, []string{state + "/"}, "a/state/deep", "a/state", "b").want(t, "b/4")
	scanAll(t, root, []string{filepath.Join(root, "a")}, "a/state", "").want(t, "b/4")

	testkit.Must(t, os.Symlink(state, filepath.Join(root, "link")))
	scanAll(t, root, []string{filepath.Join(root, "link")}, "a").want(t, "a/1", "a/statement")
}

func TestScanOfAnyBytesInNames(t *testing.T) {
	names := []string{"\xff\xfe", "line\nbreak", "tab\tand \"quotes\"", "𝔹aler 📦", " ", "-r", "c:\\x"}
	root := tree(t, names...)
	testkit.WriteTree(t, root, "\xc3\x28/in\nit")
	want := append(slices.Clone(names), "\xc3\x28/in\nit")
	slices.Sort(want)
	scanAll(t, root, nil, "").want(t, want...)
}

func TestScanStops(t *testing.T) {
	root := tree(t, "1", "2", "3/4")

	t.Run("when emit fails", func(t *testing.T) {
		broken := errors.New("broken")
		calls := 0
		report, err := scan.Scan(t.Context(), []string{root}, scan.Options{}, func(tasks.File) error {
			if calls++; calls == 2 {
				return broken
			}
			return nil
		})
		if !errors.Is(err, broken) || calls != 2 || report.Files != 1 {
			t.Errorf("error %v after %d calls, report %+v", err, calls, report)
		}
	})
	t.Run("when the context ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		report, err := scan.Scan(ctx, []string{root}, scan.Options{}, func(tasks.File) error {
			calls++
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) || calls != 1 || report.Files != 1 {
			t.Errorf("error %v after %d calls, report %+v", err, calls, report)
		}
	})
	t.Run("before it starts", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := scan.Scan(ctx, []string{root}, scan.Options{}, func(tasks.File) error {
			t.Error("emitted a file")
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestScanOfALargeDirectory(t *testing.T) {
	const many = 4200 // more than are read at once
	root := t.TempDir()
	for i := range many {
		testkit.Must(t, os.WriteFile(filepath.Join(root, fmt.Sprintf("%05d", i)), nil, 0o600))
	}
	next := 0
	_, err := scan.Scan(t.Context(), []string{root}, scan.Options{}, func(f tasks.File) error {
		if want := fmt.Sprintf("%05d", next); filepath.Base(f.Path) != want {
			return fmt.Errorf("got %s, want %s", f.Path, want)
		}
		next++
		return nil
	})
	testkit.Must(t, err)
	if next != many {
		t.Errorf("%d of %d files", next, many)
	}
}

// For any overlap of sources, each file at or below them is emitted once.
func TestScanOfAnySources(t *testing.T) {
	var files []string
	for _, dir := range []string{"", "a/", "a/a/", "a/b/", "b/", "b/a/", "b/b/"} {
		files = append(files, dir+"f", dir+"g")
	}
	root := tree(t, files...)
	testkit.Must(t, os.Symlink("../b", filepath.Join(root, "a/link")))
	choices := append([]string{"", "a", "b", "a/a", "a/b", "b/a", "a/link", "a/link/a", "a/link/f"}, files...)

	rapid.Check(t, func(rt *rapid.T) {
		sources := rapid.SliceOfN(rapid.SampledFrom(choices), 0, 6).Draw(rt, "sources")
		var want []string
		for _, f := range files {
			if slices.ContainsFunc(sources, func(s string) bool {
				s = strings.Replace(s, "a/link", "b", 1)
				return s == "" || s == f || strings.HasPrefix(f, s+"/")
			}) {
				want = append(want, f)
			}
		}
		s := scanAll(t, root, nil, slices.Clone(sources)...)
		var got []string
		for _, path := range s.shown {
			got = append(got, strings.Replace(path, "a/link", "b", 1))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			rt.Errorf("sources %q emitted %q, want %q", sources, got, want)
		}
	})
}
