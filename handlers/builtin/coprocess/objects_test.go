//go:build unix

package coprocess

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/storage"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/internal/testkit/storagetest"
	"github.com/balerhq/baler/tasks"
)

// A script gets the paths of copies, which are gone afterwards.
func TestScriptsForObjects(t *testing.T) {
	needs(t, "python3")
	t.Setenv("TMPDIR", t.TempDir())
	server, b := storagetest.New(t), storage.New()
	defer func() { testkit.Must(t, b.Close()) }()
	_, err := b.Add(server.Address(""))
	testkit.Must(t, err)
	server.Put("p/a.txt", "alpha")
	server.Put("p/..", "beta")
	folder := t.TempDir()
	script := "def call(jobs):\n    for job in jobs:\n        job.write_output(open(job.path).read())\n"
	testkit.Must(t, os.WriteFile(filepath.Join(folder, "read.py"), []byte(script), 0o600))
	results, err := handlertest.DryRun{
		Args: with{"script": "read.py"}, CommandDir: folder, Roots: []string{"s3://films/p", "s3://films"}, Objects: b,
	}.Run(t.Context(), handler(t), "s3://films/p/a.txt", "s3://films/p/..", "s3://films/p/gone")
	testkit.Must(t, err)
	for i, want := range []string{"alpha", "beta", ""} {
		r := results[i]
		if r.Output != want || want == "" && (r.Outcome != tasks.OutcomeFailed || r.Code != "not-found") {
			t.Errorf("%d: %s %s %q %s", i, r.Outcome, r.Code, r.Output, r.Error)
		}
	}
	left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "baler-object*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v", strings.Join(left, " "))
	}
}
