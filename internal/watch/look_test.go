package watch

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
)

// seen are the paths of a look, and what it has left out.
func seen(t *testing.T, s *Settings) (found map[string]entry, left []string) {
	t.Helper()
	testkit.Must(t, s.Check())
	found = make(map[string]entry)
	l := looker{Settings: s, inodes: true, note: func(path, what string, _ error) {
		rel, err := filepath.Rel(s.Folder, path)
		testkit.Must(t, err)
		left = append(left, rel+": "+what)
	}}
	testkit.Must(t, l.look(t.Context(), func(page []entry) error {
		for _, e := range page {
			found[e.path] = e
		}
		return nil
	}))
	for path, e := range found {
		if fingerprint, err := l.fingerprint(t.Context(), path); err != nil || fingerprint != e.fingerprint {
			t.Errorf("%q has the fingerprint %q, %v; the look says %q", path, fingerprint, err, e.fingerprint)
		}
	}
	slices.Sort(left)
	return found, left
}

func paths(found map[string]entry) string {
	var names []string
	for path := range found {
		names = append(names, path)
	}
	slices.Sort(names)
	return strings.Join(names, "|")
}

func TestALookFindsFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testkit.WriteTree(t, dir, "in/a.tif", "in/sub/b.tif", "in/new\nline", "in/bad\xff", "in/.hidden", "in/.git/config", "in/c.PART", "in/d~",
		"in/e.crdownload", "in/~$letter.docx", "in/done/old.tif", "in/sub/b.tif.ready", "elsewhere/f.tif", "in/.ready")
	testkit.Must(t, os.Symlink(filepath.Join(dir, "elsewhere"), filepath.Join(dir, "in/out")))
	testkit.Must(t, os.Symlink(filepath.Join(dir, "elsewhere/f.tif"), filepath.Join(dir, "in/f.tif")))
	testkit.Must(t, syscall.Mkfifo(filepath.Join(dir, "in/pipe"), 0o600))
	in := filepath.Join(dir, "in")
	found, left := seen(t, &Settings{Folder: in, Done: filepath.Join(in, "done")})
	if got, want := paths(found), "a.tif|bad\xff|new\nline|sub/b.tif|sub/b.tif.ready"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	const hidden = ": its name is hidden or temporary"
	want := []string{
		".git" + hidden, ".hidden" + hidden, ".ready" + hidden, "c.PART" + hidden, "d~" + hidden, "e.crdownload" + hidden,
		"f.tif: links are not followed", "out: links are not followed", "pipe: it is neither a file nor a folder", "~$letter.docx" + hidden,
	}
	if !slices.Equal(left, want) {
		t.Errorf("left out %q", left)
	}
	found, _ = seen(t, &Settings{Folder: in, Marker: ".ready", Hidden: true, Exclude: []string{filepath.Join(in, "done"), in, dir, "/"}})
	if got, want := paths(found), ".git/config|.hidden|.ready|a.tif|bad\xff|c.PART|d~|e.crdownload|new\nline|sub/b.tif|~$letter.docx"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
	for path, e := range found {
		if e.marked != (path == "sub/b.tif") {
			t.Errorf("%q is marked: %v", path, e.marked)
		}
	}
}

func TestALookFindsFolders(t *testing.T) {
	t.Parallel()
	in := t.TempDir()
	testkit.WriteTree(t, in, "one/a", "one/deep/b", "one/x.part", "two/c", "two/COMPLETE", "empty/", ".hidden/d", "loose")
	s := &Settings{Folder: in, Each: EachFolder, Marker: "COMPLETE"}
	before, left := seen(t, s)
	if got := paths(before); got != "one|two" || before["one"].marked || !before["two"].marked {
		t.Errorf("found %q, %+v", got, before)
	}
	if !slices.Contains(left, "loose: it lies beside the folders, each of which is a transfer") {
		t.Errorf("left out %q", left)
	}
	for _, c := range []struct {
		name    string
		changes bool
	}{{"one/x.part", false}, {"two/COMPLETE", false}, {"one/.new", false}, {"one/deep/new", true}, {"two/c", true}} {
		testkit.WriteFile(t, filepath.Join(in, c.name), "other content")
		after, _ := seen(t, s)
		if changed := after["one"].fingerprint != before["one"].fingerprint || after["two"].fingerprint != before["two"].fingerprint; changed != c.changes {
			t.Errorf("%s: changed %v", c.name, changed)
		}
		before = after
	}
}

func TestAFolderThatIsGoneHasNoEntries(t *testing.T) {
	t.Parallel()
	s := &Settings{Folder: t.TempDir()}
	testkit.Must(t, s.Check())
	testkit.Must(t, os.Remove(s.Folder))
	l := looker{Settings: s}
	if err := l.look(t.Context(), nil); !errors.Is(err, errGone) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	testkit.WriteFile(t, s.Folder, "a file")
	if err := l.look(t.Context(), nil); !errors.Is(err, errGone) {
		t.Errorf("a file: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.look(ended, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testkit.WriteTree(t, dir, "in/a", "file")
	in := filepath.Join(dir, "in")
	for want, s := range map[string]Settings{
		"no such file":          {Folder: filepath.Join(dir, "none")},
		"is no folder":          {Folder: filepath.Join(dir, "file")},
		"is no kind of entry":   {Folder: in, Each: "line"},
		"cannot be negative":    {Folder: in, Settle: -1},
		"is no name of a file":  {Folder: in, Marker: "a/b"},
		"would be found again":  {Folder: in, Done: in},
		"would be found again ": {Folder: in, Failed: dir},
		"not a directory":       {Folder: in, Done: filepath.Join(dir, "file/done")},
		"has 255 bytes at most": {Folder: in, Name: strings.Repeat("x", 256)},
	} {
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
			t.Errorf("%s: %v", want, err)
		}
	}
	left, err := os.ReadDir(in)
	if err != nil || len(left) != 1 {
		t.Errorf("trials are left: %v, %v", left, err)
	}
}

func TestAFreeName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testkit.WriteTree(t, dir, "a.tif", "b.tif", "b.2.tif", "c", ".d", "e.tif.ready")
	l := Loop{o: Options{Settings: Settings{Marker: ".ready", Each: EachFile}}}
	for name, want := range map[string]string{"a.tif": "a.2.tif", "b.tif": "b.3.tif", "c": "c.2", ".d": ".d.2", "e.tif": "e.2.tif", "new": "new"} {
		if got, err := l.freeName(filepath.Join(dir, name)); err != nil || got != filepath.Join(dir, want) {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	if err := rename(filepath.Join(dir, "a.tif"), filepath.Join(dir, "c")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a rename over a file: %v", err)
	}
}
