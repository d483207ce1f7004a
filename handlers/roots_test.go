package handlers

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

func rootsOf(t testing.TB, dirs ...string) *Roots {
	t.Helper()
	r, err := NewRoots(dirs)
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, r)
	return r
}

func link(t *testing.T, target, path string) string {
	t.Helper()
	testkit.Must(t, os.Symlink(target, path))
	return path
}

func content(t *testing.T, r *Roots, path string) string {
	t.Helper()
	f, err := r.Open(path)
	if err != nil {
		t.Errorf("open %s: %v", path, err)
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func TestRootsOpenWhatIsInside(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	plain := testkit.WriteFileIn(t, dir, "a/b/plain", "plain")
	odd := testkit.WriteFileIn(t, dir, "odd \xff\n name", "odd")
	far := testkit.WriteFileIn(t, other, "far", "far")
	for path, want := range map[string]string{
		plain:                                  "plain",
		odd:                                    "odd",
		dir + "/a/../a//b/./plain":             "plain",
		link(t, "a/b/plain", dir+"/relative"):  "plain",
		link(t, "../a/b", dir+"/a/up"):         "",
		dir + "/a/up/plain":                    "plain",
		link(t, plain, dir+"/absolute"):        "plain",
		link(t, far, dir+"/into-another-root"): "far",
	} {
		if want == "" {
			continue // only a stepping stone
		}
		if got := content(t, rootsOf(t, dir, other), path); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestRootsRefuseWhatIsOutside(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "in")
	testkit.WriteFileIn(t, dir, "here", "here")
	secret := testkit.WriteFileIn(t, base, "secret", "secret")
	testkit.WriteFileIn(t, base, "inner", "not below in")
	r := rootsOf(t, dir)
	for _, path := range []string{
		secret,
		dir + "/../secret",
		base + "/inner", // the root's name is only a prefix of it
		"/etc/passwd", "secret", "", ".", "/",
		link(t, secret, dir+"/absolute"),
		link(t, "../secret", dir+"/relative"),
		link(t, base, dir+"/folder") + "/secret",
		link(t, "absolute", dir+"/twice"),
	} {
		f, err := r.Open(path)
		if !errors.Is(err, ErrOutsideRoots) {
			t.Errorf("%q gave %v, %v", path, f, err)
			continue
		}
		if !strings.Contains(err.Error(), "BALER_ROOTS") {
			t.Errorf("%q: the message does not say what to do: %v", path, err)
		}
	}
}

func TestNoRootsRefuseEverything(t *testing.T) {
	path := testkit.WriteFileIn(t, t.TempDir(), "a", "a")
	_, err := rootsOf(t).Open(path)
	if !errors.Is(err, ErrOutsideRoots) || !strings.Contains(err.Error(), "set BALER_ROOTS") {
		t.Errorf("got %v", err)
	}
}

func TestRootsMustBeAbsolute(t *testing.T) {
	for _, dir := range []string{"", "data", "./data"} {
		if _, err := NewRoots([]string{dir}); err == nil {
			t.Errorf("%q was taken", dir)
		}
	}
}

func TestRootMayBeASingleFile(t *testing.T) {
	base := t.TempDir()
	only, sibling := testkit.WriteFileIn(t, base, "only", "only"), testkit.WriteFileIn(t, base, "sibling", "sibling")
	secret := testkit.WriteFileIn(t, t.TempDir(), "secret", "secret")
	r := rootsOf(t, only)
	if got := content(t, r, only); got != "only" {
		t.Errorf("got %q", got)
	}
	if _, err := r.Open(sibling); !errors.Is(err, ErrOutsideRoots) {
		t.Errorf("its sibling gave %v", err)
	}
	testkit.Must(t, os.Remove(only))
	link(t, secret, only)
	for name, r := range map[string]*Roots{"known before": r, "new": rootsOf(t, only)} {
		if _, err := r.Open(only); !errors.Is(err, ErrOutsideRoots) {
			t.Errorf("%s: swapped for a link that leads away, it gave %v", name, err)
		}
	}
}

func TestRootMayBeALink(t *testing.T) {
	base := t.TempDir()
	testkit.WriteFileIn(t, base, "real/a", "a")
	root := link(t, filepath.Join(base, "real"), filepath.Join(base, "root"))
	link(t, filepath.Join(base, "real", "a"), filepath.Join(base, "real", "absolute"))
	r := rootsOf(t, root)
	for _, name := range []string{"a", "absolute"} {
		if got := content(t, r, filepath.Join(root, name)); got != "a" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if _, err := r.Open(filepath.Join(base, "real", "a")); !errors.Is(err, ErrOutsideRoots) {
		t.Errorf("by a name that was not allowed: %v", err)
	}
}

func TestRootsNoticeAReplacedFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "root")
	r := rootsOf(t, dir)
	path := filepath.Join(dir, "a")
	if _, err := r.Open(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before there was a root: %v", err)
	}
	for _, text := range []string{"first", "second"} {
		testkit.Must(t, os.RemoveAll(dir))
		testkit.WriteFileIn(t, dir, "a", text)
		if got := content(t, r, path); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

func TestRootsOutliveAFolderThatWasLetGo(t *testing.T) {
	dir := t.TempDir()
	path := testkit.WriteFileIn(t, dir, "a", "a")
	r := rootsOf(t, dir)
	content(t, r, path)
	h := r.handles.byDir[dir] // closed below as if others had pushed it out just now
	h.fast.close()
	testkit.Must(t, h.root.Close())
	if got := content(t, r, path); got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestRootsHoldFewFoldersOpen(t *testing.T) {
	base := t.TempDir()
	var dirs []string
	for i := range 12 {
		dir := filepath.Join(base, strconv.Itoa(i))
		testkit.WriteFileIn(t, dir, "a", strconv.Itoa(i))
		dirs = append(dirs, dir)
	}
	r := rootsOf(t, dirs...)
	r.handles.limit = 3
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 120 {
				i := n * 5 % len(dirs)
				if got := content(t, r, filepath.Join(dirs[i], "a")); got != strconv.Itoa(i) {
					t.Errorf("folder %d holds %q", i, got)
				}
			}
		})
	}
	all.Wait()
	if n := len(r.handles.byDir); n > 3 {
		t.Errorf("%d folders are open", n)
	}
}

func TestClosedRoots(t *testing.T) {
	dir := t.TempDir()
	path := testkit.WriteFileIn(t, dir, "a", "a")
	r := rootsOf(t, dir)
	f, err := r.Open(path)
	testkit.Must(t, err)
	defer f.Close()
	testkit.Must(t, errors.Join(r.Close(), r.Close()))
	if text, err := io.ReadAll(f); err != nil || string(text) != "a" {
		t.Errorf("a file opened before: %q %v", text, err)
	}
	if _, err := r.Open(path); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestTheWholeFileSystemAsRoot(t *testing.T) {
	path := testkit.WriteFileIn(t, t.TempDir(), "a", "a")
	if got := content(t, rootsOf(t, "/"), path); got != "a" {
		t.Errorf("got %q", got)
	}
}
