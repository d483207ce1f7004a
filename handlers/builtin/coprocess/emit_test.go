//go:build unix

package coprocess

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// emitting runs a script over files, which may write below the folder in args["out"].
func emitting(t *testing.T, name, script, out string, paths ...string) []tasks.Result {
	t.Helper()
	folder := t.TempDir()
	testkit.Must(t, os.WriteFile(filepath.Join(folder, name), []byte(script), 0o600))
	results, err := handlertest.DryRun{
		Args: with{"script": name, "args": with{"out": out}}, CommandDir: folder, Outputs: []string{out},
	}.Run(t.Context(), handler(t), paths...)
	testkit.Must(t, err)
	return results
}

func emittedOf(r *tasks.Result, out string) (all []string) {
	for _, f := range r.Emitted {
		all = append(all, f.Emitted.Name+"="+strings.TrimPrefix(f.Path, out)+" of "+strings.TrimPrefix(f.Emitted.Base, out))
	}
	return all
}

func TestPythonScriptEmits(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	out, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	results := emitting(t, "split.py", `
import os
def call(jobs):
    for job in jobs:
        name = os.path.basename(job.path)
        folder = os.path.join(job.args["out"], name)
        os.makedirs(folder, exist_ok=True)
        for part in (b"one", b"two", b"in\xffvalid"):
            with open(os.path.join(os.fsencode(folder), part), "wb") as f:
                f.write(part)
        if name == "plain":
            job.emit(os.path.join(folder, "one"))
            job.emit(os.path.join(folder, "two"), name="second", base=job.args["out"])
            job.emit(os.fsdecode(os.path.join(os.fsencode(folder), b"in\xffvalid")))
            job.emit(os.path.join(folder, "two"), name="second", base=job.args["out"])
            assert len(job.emitted) == 4
        elif name == "missing":
            job.emit(os.path.join(folder, "three"))
        elif name == "outside":
            job.emit(job.path)
        elif name == "again":
            job.emit(os.path.join(folder, "one"))
            raise ValueError("after it has emitted")
`, out, files(t, "plain", "missing", "outside", "again", "none")...)
	want := []string{"one=/plain/one of /plain", "second=/plain/two of ", "in\xffvalid=/plain/in\xffvalid of /plain"}
	if got := emittedOf(&results[0], out); results[0].Outcome != tasks.OutcomeSucceeded || !slices.Equal(got, want) {
		t.Errorf("%s %s: %q, want %q", results[0].Outcome, results[0].Error, got, want)
	}
	for i, end := range map[int]string{1: "failed bad-emit", 2: "failed bad-emit", 3: "error exception", 4: "succeeded "} {
		if got := string(results[i].Outcome) + " " + results[i].Code; got != end {
			t.Errorf("%d: %s, want %s: %s", i, got, end, results[i].Error)
		}
	}
	if got := emittedOf(&results[3], out); len(got) != 1 {
		t.Errorf("the exception costs what was emitted: %q", got)
	}
}

// Files in folders of their own often have the same name, which is that of the emitted file by default.
func TestTwoFilesOfOneNameAreAnError(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	out, path := t.TempDir(), filepath.Join(t.TempDir(), "a")
	testkit.WriteTree(t, out, "1/page", "2/page")
	testkit.WriteFile(t, path, "a")
	results := emitting(t, "pages.py", `
import os

def call(jobs):
    for job in jobs:
        for folder in ("1", "2"):
            job.emit(os.path.join(job.args["out"], folder, "page"))
`, out, path)
	if r := &results[0]; r.Outcome != tasks.OutcomeFailed || r.Code != "bad-emit" || !strings.Contains(r.Error, "/1/page\" and \"") {
		t.Errorf("the file ends %s %s: %s", r.Outcome, r.Code, r.Error)
	}
}

func TestJavaScriptEmits(t *testing.T) {
	t.Parallel()
	needs(t, "node")
	out, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	results := emitting(t, "split.mjs", `
import { writeFileSync } from 'node:fs'
export function call(jobs) {
  for (const job of jobs) {
    writeFileSync(job.args.out + '/one', '1')
    job.emit(job.args.out + '/one', { name: 'première' })
  }
}
`, out, files(t, "a")...)
	if got, want := emittedOf(&results[0], out), []string{"première=/one of "}; !slices.Equal(got, want) {
		t.Errorf("%s %s: %q, want %q", results[0].Outcome, results[0].Error, got, want)
	}
}

// What a child says before it dies does not count: another one answers for the file.
func TestEmissionsOfAChildThatDies(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	out, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	results := emitting(t, "dies.py", `
import json, os, sys
def call(jobs):
    for job in jobs:
        with job.JobContext():
            marker = os.path.join(job.args["out"], "marker")
            for name in ("first", "then"):
                open(os.path.join(job.args["out"], name), "w").close()
            if not os.path.exists(marker):
                open(marker, "w").close()
                job._batch.send({"type": "emit", "batch": job._batch.id, "job": 1, "path": os.path.join(job.args["out"], "first")})
                os._exit(3)
            job.emit(os.path.join(job.args["out"], "then"))
`, out, files(t, "a", "b")...)
	if got, want := emittedOf(&results[0], out), []string{"then=/then of "}; !slices.Equal(got, want) {
		t.Errorf("%s %s: %q, want %q", results[0].Outcome, results[0].Error, got, want)
	}
}
