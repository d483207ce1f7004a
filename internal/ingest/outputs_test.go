package ingest

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
)

func TestOutputsInsideSources(t *testing.T) {
	t.Parallel()
	base, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	source := filepath.Join(base, "source")
	testkit.Must(t, os.Mkdir(source, 0o755))
	testkit.Must(t, os.Symlink(source, filepath.Join(base, "link")))
	for path, refused := range map[string]bool{
		"source": true, "source/bag": true, "source/deep/er/bag": true, "link/bag": true, ".": true, "source/../source/bag": true,
		"sources": false, "bag": false, "deep/er/bag": false, "source/../bag": false,
	} {
		_, err := CheckOutputs([]string{"/elsewhere", source}, []PlannedOutput{{Step: "bag", Path: base + "/" + path, Folder: true}})
		if errors.Is(err, ErrOutputInSource) != refused {
			t.Errorf("a folder at %s: %v, want refused: %v", path, err, refused)
		}
	}
	inside, err := CheckOutputs([]string{source}, []PlannedOutput{{Path: base + "/link/sums"}, {Path: base + "/sums"}})
	if want := map[string]bool{source + "/sums": true}; err != nil || !maps.Equal(inside, want) {
		t.Errorf("files inside are %v, %v; want %v", inside, err, want)
	}
}

// The next transfer has a folder with another name, and would find there what this one has written.
func TestRelativeOutputsInsideSources(t *testing.T) {
	t.Parallel()
	base, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	source := filepath.Join(base, "source")
	testkit.Must(t, os.Mkdir(source, 0o755))
	r, err := recipe.Parse("r", []byte("name: r\nsteps: [{handler: checksum}]\nfinally: [{handler: report, with: {to: r/report.html}}]"))
	testkit.Must(t, err)
	for outputs, refused := range map[string]bool{source: true, source + "/out": true, base: false, base + "/out": false} {
		within, err := handlers.NewOutputRoots([]string{"s3://bucket/x", outputs, base + "/second"})
		testkit.Must(t, err)
		inside, err := OutputFiles(builtin.Registry(), r, "", []string{source}, within)
		if errors.Is(err, ErrOutputInSource) != refused || len(inside) > 0 {
			t.Errorf("below %s: %v, %v, want refused: %v", outputs, inside, err, refused)
		}
	}
}
