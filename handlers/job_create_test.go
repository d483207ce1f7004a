package handlers

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// When a file runs again after a crash, which does not count as an attempt, the temporary
// files of the dead worker are removed.
func TestCreateAfterACrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outputs, err := NewOutputRoots([]string{dir})
	testkit.Must(t, err)
	for _, again := range []bool{false, true} {
		job := NewJob(JobSpec{File: tasks.File{No: 3, Path: "/a"}, Transfer: 1, Step: 2, Attempt: 1, RunBefore: again, Outputs: outputs})
		testkit.WriteFile(t, filepath.Join(dir, ".baler-1-2-3-LEFT"), "half")
		testkit.WriteFile(t, filepath.Join(dir, ".baler-1-2-4-OTHER"), "of another file")
		_, err := job.Create(t.Context(), filepath.Join(dir, "a"), CreateOptions{}, func(w io.Writer) error {
			_, err := io.WriteString(w, "text")
			return err
		})
		testkit.Must(t, err)
		left, err := filepath.Glob(filepath.Join(dir, ".baler-1-2-*"))
		testkit.Must(t, err)
		if want := map[bool]int{false: 2, true: 1}[again]; len(left) != want {
			t.Errorf("run before: %v; left %q", again, left)
		}
	}
}
