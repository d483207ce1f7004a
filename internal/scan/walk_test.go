package scan

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A directory that is replaced after the walk has listed it is not entered, because the new
// one may be outside of the sources. A scan cannot be stopped at that moment, so the test
// calls the walker.
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
