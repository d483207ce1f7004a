package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

var update = flag.Bool("update", false, "write the golden files anew")

// closedFile writes a file and gives it with its digest, as checksum leaves it.
func closedFile(t *testing.T, path, content string) FinalFile {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	return FinalFile{tasks.File{Path: path, Size: int64(len(content))}, map[string]any{"sha256": hex.EncodeToString(sum[:])}}
}

// try runs a built-in finalizer as a worker does that may write below base.
func tryClosing(t *testing.T, h Finalizer, trial FinalizerDryRun) tasks.FinalizeStep {
	t.Helper()
	step, err := trial.Run(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return step
}

func wantStep(t *testing.T, got tasks.FinalizeStep, state tasks.FinalizeState, message string) {
	t.Helper()
	if got.State != state || message == "" && got.Error != "" || !strings.Contains(got.Error, message) {
		t.Errorf("it is %s: %s; want %s: %s", got.State, got.Error, state, message)
	}
}

// oddNames are those that a list of lines has its trouble with.
func oddNames() []string {
	return []string{"plain", "with space", " leading", "trailing ", "back\\slash", "new\nline", "carriage\rreturn", "end\r", "*star",
		"quote\"'", "ünï", "no\xfftext", "%0A"}
}

func TestManifestIsWhatSha256sumChecks(t *testing.T) {
	t.Parallel()
	in, out := t.TempDir(), t.TempDir()
	var files []FinalFile
	for i, name := range oddNames() {
		files = append(files, closedFile(t, filepath.Join(in, name), fmt.Sprint("content ", i)))
	}
	step := tryClosing(t, manifest, FinalizerDryRun{Files: files, Base: out, Args: map[string]any{"to": "a/b/sums"}})
	wantStep(t, step, tasks.FinalizeDone, "")
	text, err := os.ReadFile(filepath.Join(out, "a/b/sums"))
	if err != nil || strings.Count(string(text), "\n") != len(files) {
		t.Fatalf("%v, %q", err, text)
	}
	if entries, err := os.ReadDir(filepath.Join(out, "a/b")); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	binary, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("there is no sha256sum here")
	}
	check := func(want bool) {
		t.Helper()
		// Older versions neither write nor read an escaped carriage return.
		said, err := exec.Command(binary, "--check", "--strict", filepath.Join(out, "a/b/sums")).CombinedOutput()
		if (err == nil) != want {
			t.Errorf("sha256sum: %v\n%s", err, said)
		}
	}
	if escapesReturns(t, binary, filepath.Join(in, "end\r")) {
		check(true)
		if err := os.WriteFile(files[5].Path, []byte("changed"), 0o600); err != nil {
			t.Fatal(err)
		}
		check(false)
	}
}

func escapesReturns(t *testing.T, binary, path string) bool {
	t.Helper()
	line, err := exec.Command(binary, path).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.HasPrefix(string(line), `\`)
}

func TestChecksumLine(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/a b":  "d  /a b\n",
		"/a\\n": "\\d  /a\\\\n\n",
		"/a\nb": "\\d  /a\\nb\n",
		"/a\rb": "\\d  /a\\rb\n",
	} {
		if got := checksumLine("d", path); got != want {
			t.Errorf("%q gives %q, want %q", path, got, want)
		}
	}
}

func TestManifestNamesFilesWithoutADigest(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	var files []FinalFile
	for i := range 7 {
		files = append(files, FinalFile{File: tasks.File{Path: fmt.Sprintf("/x/%d", i)}})
	}
	files = append(files, FinalFile{tasks.File{Path: "/x/well"}, map[string]any{"md5": "abc"}}, FinalFile{tasks.File{Path: "/x/odd"}, map[string]any{"md5": 7}})
	step := tryClosing(t, manifest, FinalizerDryRun{Files: files, Base: out, Args: map[string]any{"to": "sums", "algorithm": "md5"}})
	wantStep(t, step, tasks.FinalizeDone, `no-digest: 8 of 9 files have no md5 and are not listed: "/x/0", "/x/1", "/x/2", "/x/3", "/x/4", …`)
	if text, err := os.ReadFile(filepath.Join(out, "sums")); err != nil || string(text) != "abc  /x/well\n" {
		t.Errorf("%q, %v", text, err)
	}
}

// More than a page of files, all of them listed.
func TestManifestOfManyFiles(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	const n = 3*readPage + 1
	files := make([]FinalFile, n)
	for i := range files {
		files[i] = FinalFile{tasks.File{Path: fmt.Sprint("/x/", i)}, map[string]any{"sha256": "d"}}
	}
	wantStep(t, tryClosing(t, manifest, FinalizerDryRun{Files: files, Base: out, Args: map[string]any{"to": "sums"}}), tasks.FinalizeDone, "")
	text, err := os.ReadFile(filepath.Join(out, "sums"))
	if err != nil || strings.Count(string(text), "\n") != n || !strings.HasSuffix(string(text), fmt.Sprintf("d  /x/%d\n", n-1)) {
		t.Errorf("%v, %d lines", err, strings.Count(string(text), "\n"))
	}
}

func TestArgumentsOfClosingHandlers(t *testing.T) {
	t.Parallel()
	r := Builtin()
	for name, cases := range map[string]map[string]any{
		"manifest": {
			"to is missing": map[string]any{}, `unknown algorithm "crc"`: map[string]any{"to": "/x", "algorithm": "crc"},
			"unknown field": map[string]any{"to": "/x", "into": 1},
		},
		"report": {"to is missing": nil, "unknown field": map[string]any{"too": "/x"}},
	} {
		reg, ok := r.LookupFinalizer(name)
		if !ok || reg.CheckArgs(map[string]any{"to": "/x"}) != nil {
			t.Errorf("%s: %v", name, ok)
			continue
		}
		for want, args := range cases {
			if err := reg.CheckArgs(args); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %v: %v", name, args, err)
			}
		}
	}
}

func TestReportGolden(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	created := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	tr := tasks.Transfer{
		UUID: "0195506f-8c00-7000-8000-000000000001", State: tasks.StateFinalizing, Files: 3, Bytes: 30, Finished: 3, CreatedAt: created,
		EndedAt:    created.Add(2 * time.Second), // as if it had ended, for the same seconds in every run
		Steps:      []tasks.Step{{Number: 1, Name: "checksum", Selected: 3, Counts: tasks.Counts{Succeeded: 1, Failed: 1, TimedOut: 1}}},
		Finalizers: []tasks.FinalizeStep{{Number: 1, Name: "report", State: tasks.FinalizeRunning}},
	}
	step := tryClosing(t, report, FinalizerDryRun{
		Transfer: tr, Base: out, Args: map[string]any{"to": "report.json"},
		Files: []FinalFile{{File: tasks.File{Path: "/x/a\n\"b\""}}, {File: tasks.File{Path: "/x/\xff"}}, {File: tasks.File{Path: "/x/c"}}},
		Results: []tasks.Result{
			{Step: 1, File: 2, Outcome: tasks.OutcomeTimedOut, Code: "timeout", Error: "too slow", Attempt: 3},
			{Step: 1, File: 1, Outcome: tasks.OutcomeFailed, Code: "not-found", Error: "no such file\nat all", Attempt: 1},
			{Step: 1, File: 3, Outcome: tasks.OutcomeSucceeded, Attempt: 1},
		},
	})
	wantStep(t, step, tasks.FinalizeDone, "")
	got, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "testdata/report.golden.json", string(got), *update)
}
