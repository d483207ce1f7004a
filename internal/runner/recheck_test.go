package runner

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// Of the files that the scan has not found, those that are there by now run, each as itself.
func TestFilesThatAreThereByNowRun(t *testing.T) {
	testkit.EachDatabase(t, func(t *testing.T, url string) {
		r := newEnv(t, url, "name: t\nsteps: [{handler: look}]")
		dir := t.TempDir()
		var ran []string
		r.handle("look", func(_ context.Context, jobs []*handlers.Job) error {
			for _, j := range jobs {
				ran = append(ran, filepath.Base(j.File().Path))
			}
			return nil
		})
		var files []tasks.File
		for _, name := range []string{"gone", "back", "gone too", "back too", "there"} {
			f := tasks.File{Path: filepath.Join(dir, name)}
			if name != "there" {
				f.ScanError = handlers.CodeNotFound + ": no such file"
			}
			files = append(files, f)
		}
		testkit.WriteTree(t, dir, "back", "back too", "there")
		_, err := r.DB().ExecContext(t.Context(), "UPDATE transfers SET sources = ?", dir)
		r.Must(err)
		r.Register(files)
		r.finish(r.worker("w", func(o *Options) { o.Roots = []string{dir} }))
		r.audit()
		if want := []string{"back", "back too", "there"}; !slices.Equal(ran, want) {
			t.Errorf("%q ran, want %q", ran, want)
		}
		for no, result := range r.Results(1) {
			if _, err := os.Stat(files[no-1].Path); (err == nil) != (result.Outcome == tasks.OutcomeSucceeded) {
				t.Errorf("file %d ended as %+v", no, result)
			}
		}
	})
}
