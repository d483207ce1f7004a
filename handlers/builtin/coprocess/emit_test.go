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
		Args: with{"script": name, "args": with{"out": out}, "emit": out}, CommandDir: folder, Outputs: []string{out},
		Sources: []string{filepath.Dir(paths[0])},
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
        os.makedirs(os.path.join(job.folder, "sub"), exist_ok=True)
        for part in (b"one", b"sub/one", b"in\xffvalid"):
            with open(os.path.join(os.fsencode(job.folder), part), "wb") as f:
                f.write(part)
        if name == "plain":
            job.emit(os.path.join(job.folder, "one"))
            job.emit("sub/one")
            job.emit(os.fsdecode(os.path.join(os.fsencode(job.folder), b"in\xffvalid")), name=b"in\xffvalid")
            job.emit("sub/one")
            assert len(job.emitted) == 4
        elif name == "missing":
            job.emit("three")
        elif name == "outside":
            job.emit(os.path.join(job.args["out"], "plain.files", "one"))
        elif name == "again":
            job.emit(os.path.join(job.folder, "one"))
            raise ValueError("after it has emitted")
`, out, files(t, "plain", "missing", "outside", "again", "none")...)
	want := []string{"one=/plain.files/one of ", "sub/one=/plain.files/sub/one of ", "in\xffvalid=/plain.files/in\xffvalid of "}
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
	if left, want := folders(t, out), []string{"again.files", "plain.files"}; !slices.Equal(left, want) {
		t.Errorf("folders %q, want %q: those of which nothing is emitted are removed", left, want)
	}
}

func folders(t *testing.T, out string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(out)
	testkit.Must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Two files of one name in two sources, and a second run, write into folders of their own.
func TestEachFileHasAFolderOfItsOwn(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	out, in, others := t.TempDir(), t.TempDir(), t.TempDir()
	testkit.WriteFile(t, filepath.Join(in, "a"), "first")
	testkit.WriteFile(t, filepath.Join(others, "a"), "second")
	const script = `
import os, shutil
def call(jobs):
    for job in jobs:
        shutil.copy(job.path, os.path.join(job.folder, "copy"))
        job.emit("copy")
`
	want := map[string]string{"a.files": "first", "a.files-2": "first", "a.files-3": "second"}
	for _, path := range []string{in, in, others} {
		r := emitting(t, "copy.py", script, out, filepath.Join(path, "a"))[0]
		if len(r.Emitted) != 1 || r.Outcome != tasks.OutcomeSucceeded {
			t.Fatalf("%s %s, emitted %+v", r.Outcome, r.Error, r.Emitted)
		}
	}
	for folder, content := range want {
		got, err := os.ReadFile(filepath.Join(out, folder, "copy"))
		testkit.Must(t, err)
		if string(got) != content {
			t.Errorf("%s has %q, want %q", folder, got, content)
		}
	}
}

func TestEmitNeedsAFolder(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	folder, path := t.TempDir(), filepath.Join(t.TempDir(), "a")
	testkit.WriteFile(t, path, "a")
	testkit.WriteFile(t, filepath.Join(folder, "e.py"), "def call(jobs):\n    for job in jobs:\n        job.emit(job.path)\n")
	results, err := handlertest.DryRun{
		Args: with{"script": "e.py"}, CommandDir: folder, Outputs: []string{folder},
	}.Run(t.Context(), handler(t), path)
	testkit.Must(t, err)
	if r := &results[0]; r.Code != "bad-emit" || !strings.Contains(r.Error, "set emit") {
		t.Errorf("%s %s: %s", r.Outcome, r.Code, r.Error)
	}
}

// Two files under one name would be one.
func TestTwoFilesOfOneNameAreAnError(t *testing.T) {
	t.Parallel()
	needs(t, "python3")
	out, path := t.TempDir(), filepath.Join(t.TempDir(), "a")
	testkit.WriteFile(t, path, "a")
	results := emitting(t, "pages.py", `
import os

def call(jobs):
    for job in jobs:
        for folder in ("1", "2"):
            os.mkdir(os.path.join(job.folder, folder))
            open(os.path.join(job.folder, folder, "page"), "w").close()
            job.emit(os.path.join(folder, "page"), name="page")
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
    writeFileSync(job.folder + '/one', '1')
    job.emit('one', { name: 'première' })
  }
}
`, out, files(t, "a")...)
	if got, want := emittedOf(&results[0], out), []string{"première=/a.files/one of "}; !slices.Equal(got, want) {
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
                open(os.path.join(job.folder, name), "w").close()
            if not os.path.exists(marker):
                open(marker, "w").close()
                job._batch.send({"type": "emit", "batch": job._batch.id, "job": 1, "path": os.path.join(job.folder, "first")})
                os._exit(3)
            job.emit("then")
`, out, files(t, "a", "b")...)
	if got, want := emittedOf(&results[0], out), []string{"then=/a.files/then of "}; !slices.Equal(got, want) {
		t.Errorf("%s %s: %q, want %q", results[0].Outcome, results[0].Error, got, want)
	}
}
