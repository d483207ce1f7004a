package scan_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// readPaths reads a list whose entries are below root, each followed by end.
func readPaths(t *testing.T, root, end string, list ...string) *seen {
	t.Helper()
	var text strings.Builder
	for _, path := range list {
		text.WriteString(filepath.Join(root, path) + end)
	}
	s := &seen{root: root}
	var err error
	s.report, err = scan.ReadPaths(t.Context(), strings.NewReader(text.String()), end == "\x00", scan.Options{OnSkipped: s.notice}, s.emit)
	testkit.Must(t, err)
	return s
}

func TestReadPaths(t *testing.T) {
	root := tree(t, "a", "b/1", "b/2", "c\nd", " e\r")
	link(t, root, "a", "link")

	t.Run("lines", func(t *testing.T) {
		s := readPaths(t, root, "\n", "b", "gone", " e\r", "link", "a")
		s.want(t, "b/1", "b/2", "gone !not-found", " e\r", "a")
		s.wantNotices(t, "link symlink @leads out of the sources")
	})
	t.Run("NUL bytes", func(t *testing.T) { readPaths(t, root, "\x00", "c\nd", "a").want(t, "c\nd", "a") })
	t.Run("nothing", func(t *testing.T) { readPaths(t, root, "\n").want(t) })
	t.Run("relative, with empty lines and no end", func(t *testing.T) {
		t.Chdir(root)
		s := &seen{root: root}
		var err error
		list := iotest.OneByteReader(strings.NewReader("\n\n./a\n\nb/2"))
		s.report, err = scan.ReadPaths(t.Context(), list, false, scan.Options{}, s.emit)
		testkit.Must(t, err)
		s.want(t, "a", "b/2")
	})
}

// A list as find makes it names a folder before what is in it.
func TestReadPathsEmitsNothingOfAFolderTwice(t *testing.T) {
	root := tree(t, "a/1", "a/b/2", "c/3")
	link(t, root, "../c", "a/link")
	readPaths(t, root, "\n", "", "", "a", "a/1", "a/b", "a/b/2", "c").want(t, "a/1", "a/b/2", "c/3")
	readPaths(t, root, "\n", "c", "c").want(t, "c/3")
	// Paths that the walk of a folder did not visit are emitted.
	readPaths(t, root, "\n", "a", "a/gone", "a/link/3").want(t, "a/1", "a/b/2", "a/gone !not-found", "a/link/3")
}

func TestReadPathsExcludes(t *testing.T) {
	root := tree(t, "a/1", "state/2")
	s := &seen{root: root}
	list := strings.NewReader(root + "/state/2\n" + root + "\n")
	var err error
	s.report, err = scan.ReadPaths(t.Context(), list, false, scan.Options{Exclude: []string{root + "/state"}}, s.emit)
	testkit.Must(t, err)
	s.want(t, "a/1")
}

func TestReadPathsRefusesWhatIsNoList(t *testing.T) {
	file := filepath.Join(tree(t, "a"), "a")
	for name, c := range map[string]struct {
		text string
		nul  bool
	}{
		"NUL bytes in lines":       {file + "\n" + file + "\x00" + file + "\n", false},
		"a line without end":       {file + "\n" + strings.Repeat("x", 100_000), false},
		"lines without a NUL byte": {file + "\x00" + strings.Repeat(file+"\n", 10_000), true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &seen{}
			_, err := scan.ReadPaths(t.Context(), strings.NewReader(c.text), c.nul, scan.Options{}, s.emit)
			if err == nil || !strings.Contains(err.Error(), "path 2") {
				t.Errorf("error %v should name the second path", err)
			}
			if len(s.files) != 1 {
				t.Errorf("emitted %q", s.shown)
			}
		})
	}
}

func TestReadPathsStops(t *testing.T) {
	file := filepath.Join(tree(t, "a"), "a") + "\n"

	t.Run("when the list breaks off", func(t *testing.T) {
		s := &seen{}
		r := io.MultiReader(strings.NewReader(file+file[:4]), iotest.ErrReader(io.ErrClosedPipe))
		_, err := scan.ReadPaths(t.Context(), r, false, scan.Options{}, s.emit)
		if !errors.Is(err, io.ErrClosedPipe) || len(s.files) != 1 {
			t.Errorf("error %v after %q", err, s.shown)
		}
	})
	t.Run("when the context ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		_, err := scan.ReadPaths(ctx, strings.NewReader(file+file), false, scan.Options{}, func(tasks.File) error {
			calls++
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) || calls != 1 {
			t.Errorf("error %v after %d files", err, calls)
		}
	})
}

// Names of any bytes come back as they were listed, however the list arrives.
func TestReadPathsOfAnyNames(t *testing.T) {
	t.Chdir(t.TempDir())
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOf(rapid.StringMatching(`[^\x00/]{1,40}`)).Draw(t, "names")
		var got []string
		list := iotest.HalfReader(strings.NewReader(strings.Join(names, "\x00")))
		_, err := scan.ReadPaths(context.Background(), list, true, scan.Options{}, func(f tasks.File) error {
			got = append(got, filepath.Base(f.Path))
			return nil
		})
		testkit.Must(t, err)
		for i, name := range names {
			if name == "." || name == ".." { // directories, with nothing to expect of them
				return
			}
			if i >= len(got) || got[i] != name {
				t.Fatalf("listed %q, emitted %q", names, got)
			}
		}
	})
}
