package scan_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/internal/testkit"
)

func TestFirstSkipsEmptyFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a": "", "b": "x", "c": "y"} {
		testkit.Must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	got, err := scan.First(t.Context(), []string{dir})
	if err != nil || got != filepath.Join(dir, "b") {
		t.Errorf("First gives %q, %v", got, err)
	}
	if _, err := scan.First(t.Context(), []string{filepath.Join(dir, "a")}); !errors.Is(err, scan.ErrNoContent) {
		t.Errorf("an empty file gives %v", err)
	}
}
