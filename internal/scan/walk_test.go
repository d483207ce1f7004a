package scan

import (
	"github.com/balerhq/baler/tasks"
	"os"
	"path/filepath"
	"testing"
)

// What became another directory after it was met is not walked: it might lie
// anywhere. No scan can be stopped in that moment, so the walker is asked.
func TestWalkerTellsAReplacedDirectory(t *testing.T) {
	met, replaced := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(replaced, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(met)
	if err != nil {
		t.Fatal(err)
	}
	var got []tasks.File
	w := newWalker(t.Context(), Options{}, func(f tasks.File) error {
		got = append(got, f)
		return nil
	})
	if err := w.visit(replaced, replaced, info); err != nil {
		t.Fatal(err)
	}
	want := tasks.File{Path: replaced, ScanError: "unreadable: " + errReplaced.Error()}
	if len(got) != 1 || got[0] != want {
		t.Errorf("emitted %+v, want %+v", got, want)
	}
}
