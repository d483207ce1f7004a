package copy

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// folders makes a source with one file and an empty destination.
func folders(t *testing.T) (source, file, to string) {
	t.Helper()
	source, to = t.TempDir(), t.TempDir()
	file = filepath.Join(source, "sub", "a.txt")
	testkit.Must(t, os.MkdirAll(filepath.Dir(file), 0o700))
	testkit.Must(t, os.WriteFile(file, []byte("alpha"), 0o600))
	testkit.Must(t, os.Chtimes(file, time.Unix(1e9, 0), time.Unix(1e9, 0)))
	return source, file, to
}

func try(t *testing.T, source, file, to string, args map[string]any, facts map[string]any) tasks.Result {
	t.Helper()
	r, err := handlertest.DryRun{Args: args, Facts: facts, Sources: []string{source}, Outputs: []string{to}}.Run(t.Context(), New(), file)
	testkit.Must(t, err)
	return r[0]
}

func want(t *testing.T, r tasks.Result, outcome tasks.Outcome, code string) {
	t.Helper()
	if r.Outcome != outcome || r.Code != code {
		t.Errorf("%s %s: %s; want %s %s", r.Outcome, r.Code, r.Error, outcome, code)
	}
}

func TestCopy(t *testing.T) {
	t.Parallel()
	source, file, to := folders(t)
	args := map[string]any{"to": to}
	r := try(t, source, file, to, args, nil)
	want(t, r, tasks.OutcomeSucceeded, "")
	copied := filepath.Join(to, "sub", "a.txt")
	content, err := os.ReadFile(copied)
	testkit.Must(t, err)
	info, err := os.Stat(copied)
	testkit.Must(t, err)
	if string(content) != "alpha" || !info.ModTime().Equal(time.Unix(1e9, 0)) ||
		!strings.Contains(string(r.Facts), copied) || !strings.Contains(string(r.Facts), `"size":5`) {
		t.Errorf("%q of %s, %s", content, info.ModTime(), r.Facts)
	}
	entries, err := os.ReadDir(filepath.Dir(copied))
	testkit.Must(t, err)
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}

	want(t, try(t, source, file, to, args, nil), tasks.OutcomeSucceeded, "") // it may run twice
	testkit.Must(t, os.WriteFile(copied, []byte("other"), 0o600))
	want(t, try(t, source, file, to, args, nil), tasks.OutcomeFailed, handlers.CodeDestinationExists)
	if content, _ := os.ReadFile(copied); string(content) != "other" {
		t.Errorf("replaced by %q", content)
	}
	want(t, try(t, source, file, to, map[string]any{"to": to, "replace": true}, nil), tasks.OutcomeSucceeded, "")
	if content, _ := os.ReadFile(copied); string(content) != "alpha" {
		t.Errorf("not replaced: %q", content)
	}
}

func TestCopyRefuses(t *testing.T) {
	t.Parallel()
	source, file, to := folders(t)
	want(t, try(t, source, file, to, map[string]any{"to": t.TempDir()}, nil), tasks.OutcomeFailed, handlers.CodeOutsideOutputs)
	want(t, try(t, to, file, to, map[string]any{"to": to}, nil), tasks.OutcomeFailed, handlers.CodeOutputInSource)
	want(t, try(t, source, file, to, nil, nil), tasks.OutcomeFailed, handlers.CodeBadArgs)
	want(t, try(t, source, file, to, map[string]any{"to": to}, map[string]any{"sha256": "00"}), tasks.OutcomeFailed, handlers.CodeDigestMismatch)
	testkit.Must(t, os.RemoveAll(filepath.Join(to, "sub")))
	testkit.Must(t, os.Symlink(t.TempDir(), filepath.Join(to, "sub")))
	want(t, try(t, source, file, to, map[string]any{"to": to}, nil), tasks.OutcomeFailed, handlers.CodeOutsideOutputs)
	entries, err := os.ReadDir(to)
	testkit.Must(t, err)
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

// A write that fails, as on a full disk, leaves nothing in the place and is retried.
func TestFailedWriteLeavesNothing(t *testing.T) {
	t.Parallel()
	_, file, to := folders(t)
	outputs, err := handlers.NewOutputRoots([]string{to})
	testkit.Must(t, err)
	left := filepath.Join(to, ".baler-1-1-7-left")
	testkit.Must(t, os.WriteFile(left, nil, 0o600))
	job := handlers.NewJob(handlers.JobSpec{File: tasks.File{No: 7, Path: file}, Transfer: 1, Step: 1, Attempt: 2, Outputs: outputs})
	full := errors.New("no space left on device")
	_, err = job.Create(t.Context(), filepath.Join(to, "a"), handlers.CreateOptions{}, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return full
	})
	entries, readErr := os.ReadDir(to)
	testkit.Must(t, readErr)
	if !errors.Is(err, full) || len(entries) != 0 {
		t.Errorf("%v, and left %v", err, entries)
	}
}
