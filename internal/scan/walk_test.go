package scan

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// What became another directory after it was met is not walked: it might lie
// anywhere. No scan can be stopped in that moment, so the walker is asked.
func TestWalkerTellsAReplacedDirectory(t *testing.T) {
	met, replaced := t.TempDir(), t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(replaced, "file"), nil, 0o600))
	info, err := os.Lstat(met)
	testkit.Must(t, err)
	var got []tasks.File
	w := newWalker(t.Context(), Options{}, func(f tasks.File) error {
		got = append(got, f)
		return nil
	})
	testkit.Must(t, w.visit(replaced, replaced, info))
	want := tasks.File{Path: replaced, ScanError: "unreadable: " + errReplaced.Error()}
	if len(got) != 1 || got[0] != want {
		t.Errorf("emitted %+v, want %+v", got, want)
	}
}
