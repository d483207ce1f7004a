package move

import (
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

// place is a source with one file, and a destination.
type place struct{ source, file, to, moved string }

func newPlace(t *testing.T) place {
	t.Helper()
	p := place{source: t.TempDir(), to: t.TempDir()}
	p.file, p.moved = filepath.Join(p.source, "sub", "a.txt"), filepath.Join(p.to, "sub", "a.txt")
	testkit.WriteFile(t, p.file, "alpha")
	testkit.Must(t, os.Chtimes(p.file, time.Unix(1e9, 0), time.Unix(1e9, 0)))
	return p
}

// job makes the job of the file as it is now, as the scan saw it.
func (p place) job(t *testing.T, facts map[string]any, outputs ...string) *handlers.Job {
	t.Helper()
	allowed, err := handlers.NewOutputRoots(append(outputs, p.to))
	testkit.Must(t, err)
	roots, err := handlers.NewRoots([]string{p.source})
	testkit.Must(t, err)
	testkit.CloseAtEnd(t, roots)
	return handlers.NewJob(handlers.JobSpec{
		File: tasks.File{No: 1, Path: p.file, Size: 5, MTime: time.Unix(1e9, 0)}, Args: map[string]any{"to": p.to}, Facts: facts,
		Sources: []string{p.source}, Outputs: allowed, Opener: roots, Step: 1, Attempt: 1,
	})
}

func run(t *testing.T, job *handlers.Job) tasks.Result {
	t.Helper()
	testkit.Must(t, New().Handle(t.Context(), []*handlers.Job{job}))
	return job.Result()
}

func want(t *testing.T, r tasks.Result, outcome tasks.Outcome, code string) {
	t.Helper()
	if r.Outcome != outcome || r.Code != code {
		t.Errorf("%s %q: %s; want %s %q", r.Outcome, r.Code, r.Error, outcome, code)
	}
}

func content(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return "none"
	}
	return string(b)
}

func TestMove(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	r := run(t, p.job(t, nil, p.source))
	want(t, r, tasks.OutcomeSucceeded, "")
	info, err := os.Stat(p.moved)
	if err != nil || content(p.moved) != "alpha" || content(p.file) != "none" || !info.ModTime().Equal(time.Unix(1e9, 0)) ||
		!strings.Contains(string(r.Facts), p.moved) {
		t.Errorf("%q there, %q here, %v, %s", content(p.moved), content(p.file), err, r.Facts)
	}

	// The result was not recorded: the handler runs again.
	for _, facts := range []map[string]any{nil, {"sha256": "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8"}} {
		again := run(t, p.job(t, facts, p.source))
		want(t, again, tasks.OutcomeSucceeded, "")
		if string(again.Facts) != string(r.Facts) {
			t.Errorf("facts %s, and at first %s", again.Facts, r.Facts)
		}
	}
	// The file at the destination has other content.
	want(t, run(t, p.job(t, map[string]any{"sha256": "00"}, p.source)), tasks.OutcomeFailed, handlers.CodeNotFound)
	testkit.WriteFile(t, p.moved, "gamma")
	want(t, run(t, p.job(t, nil, p.source)), tasks.OutcomeFailed, handlers.CodeNotFound)
}

// The worker died after the copy arrived, and before the source was removed.
func TestMoveAfterACrash(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	testkit.WriteFile(t, p.moved, "alpha")
	want(t, run(t, p.job(t, nil, p.source)), tasks.OutcomeSucceeded, "")
	if content(p.moved) != "alpha" || content(p.file) != "none" {
		t.Errorf("%q there, %q here", content(p.moved), content(p.file))
	}
}

// The source stays whenever the copy is not certain.
func TestMoveKeepsTheSource(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, p place)
		facts   map[string]any
		outputs func(p place) []string
		outcome tasks.Outcome
		code    string
	}{
		"other content there": {
			prepare: func(t *testing.T, p place) { testkit.WriteFile(t, p.moved, "other") },
			outcome: tasks.OutcomeFailed, code: handlers.CodeDestinationExists,
		},
		"other digest": {facts: map[string]any{"sha256": "00"}, outcome: tasks.OutcomeFailed, code: handlers.CodeDigestMismatch},
		"hard link": {
			prepare: func(t *testing.T, p place) {
				testkit.Must(t, os.MkdirAll(filepath.Dir(p.moved), 0o700))
				testkit.Must(t, os.Link(p.file, p.moved))
			},
			outcome: tasks.OutcomeFailed, code: handlers.CodeSameFile,
		},
		"may not be removed": {outputs: func(place) []string { return nil }, outcome: tasks.OutcomeFailed, code: handlers.CodeOutsideOutputs},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			if tt.prepare != nil {
				tt.prepare(t, p)
			}
			outputs := []string{p.source}
			if tt.outputs != nil {
				outputs = tt.outputs(p)
			}
			want(t, run(t, p.job(t, tt.facts, outputs...)), tt.outcome, tt.code)
			if content(p.file) != "alpha" {
				t.Errorf("the source holds %q", content(p.file))
			}
		})
	}
}

// A file that changes after it was copied stays.
func TestRemoveSourceOfAChangedFile(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	before, err := os.Stat(p.file)
	testkit.Must(t, err)
	testkit.WriteFile(t, p.moved, "alpha")
	copied := handlers.Created{Path: p.moved, Size: 5}
	testkit.WriteFile(t, p.file, "gamma")
	if err := p.job(t, nil, p.source).RemoveSource(copied, before); err == nil || content(p.file) != "gamma" {
		t.Errorf("%v, and the source holds %q", err, content(p.file))
	}
	before, err = os.Stat(p.file)
	testkit.Must(t, err)
	testkit.Must(t, os.Remove(p.moved))
	if err := p.job(t, nil, p.source).RemoveSource(copied, before); err == nil || content(p.file) != "gamma" {
		t.Errorf("the copy is gone: %v, and the source holds %q", err, content(p.file))
	}
}

func TestMoveArguments(t *testing.T) {
	t.Parallel()
	r := handlertest.Run(t, New(), map[string]string{"a": ""})
	want(t, r["a"], tasks.OutcomeFailed, handlers.CodeBadArgs)
}
