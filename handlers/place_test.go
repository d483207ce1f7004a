package handlers

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
)

// Each way to give a file its name keeps what is there, and moves content and time otherwise.
func TestPlaceNeverReplaces(t *testing.T) {
	t.Parallel()
	for way, put := range map[string]func(*os.Root, string, string) error{
		"rename": renameNoReplace, "link": linkAndRemove, "copy": reserveAndCopy,
		"place": func(root *os.Root, temporary, name string) error { return place(root, temporary, name, false) },
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			testkit.Must(t, os.Mkdir(filepath.Join(dir, "in"), 0o700))
			root, err := os.OpenRoot(dir)
			testkit.Must(t, err)
			t.Cleanup(func() { testkit.Must(t, root.Close()) })
			written := time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC)
			testkit.Must(t, root.WriteFile("in/temporary", []byte("new"), 0o600))
			testkit.Must(t, root.Chtimes("in/temporary", written, written))
			testkit.Must(t, root.WriteFile("in/taken", []byte("of another"), 0o600))
			testkit.Must(t, root.Symlink("nowhere", "in/link"))
			testkit.Must(t, root.Mkdir("in/folder", 0o700))
			for _, name := range []string{"in/taken", "in/link", "in/folder"} {
				err := put(root, "in/temporary", name)
				if errors.Is(err, errors.ErrUnsupported) {
					t.Skip("this system has no rename that does not replace")
				}
				if !errors.Is(err, fs.ErrExist) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if text, err := root.ReadFile("in/taken"); err != nil || string(text) != "of another" {
				t.Errorf("the file that was there: %q, %v", text, err)
			}
			testkit.Must(t, put(root, "in/temporary", "in/name"))
			text, err := root.ReadFile("in/name")
			if err != nil || string(text) != "new" {
				t.Errorf("%q, %v", text, err)
			}
			if info, err := root.Lstat("in/name"); err != nil || !info.ModTime().Equal(written) {
				t.Errorf("%v, %v", info, err)
			}
			if _, err := root.Lstat("in/temporary"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the temporary name is still there: %v", err)
			}
		})
	}
}
