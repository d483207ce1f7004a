package extract

import (
	"archive/tar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// The last report of an archive is that of all members; how many there are is known where the
// archive has a directory.
func TestProgress(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("x", 100)
	zipped := zipOf(t, entry{name: "a", content: text}, entry{name: "folder/"}, entry{name: "b", content: text})
	tarred := tarOf(t, tarEntry{name: "a", content: text, kind: tar.TypeReg}, tarEntry{name: "b", content: text, kind: tar.TypeReg})
	for name, tt := range map[string]struct {
		content []byte
		want    tasks.Progress
	}{
		"zip": {zipped, tasks.Progress{Items: 3, OfItems: 3, Unit: "members", Bytes: 200, OfBytes: 200}},
		"tar": {tarred, tasks.Progress{Items: 2, Unit: "members", Bytes: 3*512 + 100, OfBytes: int64(len(tarred))}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, to := t.TempDir(), t.TempDir()
			path := filepath.Join(source, "a.bin")
			testkit.Must(t, os.WriteFile(path, tt.content, 0o600))
			roots, err := handlers.NewRoots([]string{source})
			testkit.Must(t, err)
			t.Cleanup(func() { testkit.Must(t, roots.Close()) })
			outputs, err := handlers.NewOutputRoots([]string{to})
			testkit.Must(t, err)
			job := handlers.NewJob(handlers.JobSpec{
				File: tasks.File{No: 1, Path: path}, Sources: []string{source}, Step: 1, Attempt: 1, Opener: roots, Outputs: outputs,
				Args: map[string]any{"to": to},
			})
			testkit.Must(t, New().Handle(t.Context(), []*handlers.Job{job}))
			if r := job.Result(); r.Outcome != tasks.OutcomeSucceeded {
				t.Fatalf("%s %s", r.Outcome, r.Error)
			}
			if _, got, _ := job.Running(); got != tt.want {
				t.Errorf("progress %+v, want %+v", got, tt.want)
			}
		})
	}
}
