// Package handlertest runs a handler on files that a test describes. It needs no queue, no
// database and no configuration. It returns the results as they would be recorded.
package handlertest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/tasks"
)

// Option adjusts a run.
type Option func(*DryRun)

// Args gives the handler the arguments that a recipe step's `with` would.
func Args(args any) Option { return func(t *DryRun) { t.Args = args } }

// Facts gives every file what earlier steps would have learnt of it.
func Facts(facts map[string]any) Option { return func(t *DryRun) { t.Facts = facts } }

// Outputs sets the folders in which the handler may write. The files that it emits are in
// the Emitted of the results.
func Outputs(dirs ...string) Option { return func(t *DryRun) { t.Outputs = dirs } }

// Timeout bounds the run as a step's timeout would.
func Timeout(d time.Duration) Option { return func(t *DryRun) { t.Timeout = d } }

// Run writes files, content by relative path, into a folder of the test's own, runs h over
// all of them as one batch in the order of their paths, and returns the results by the same
// paths. It ends the test when it cannot write a file.
func Run(t testing.TB, h handlers.Handler, files map[string]string, opts ...Option) map[string]tasks.Result {
	t.Helper()
	dir := t.TempDir()
	names := slices.Sorted(maps.Keys(files))
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = write(t, dir, name, files[name])
	}
	trial := DryRun{Roots: []string{dir}}
	for _, opt := range opts {
		opt(&trial)
	}
	results, err := trial.Run(t.Context(), h, paths...)
	if err != nil {
		t.Fatalf("run the handler: %v", err)
	}
	byName := make(map[string]tasks.Result, len(names))
	for i, name := range names {
		byName[name] = results[i]
	}
	return byName
}

// RunFinalizer runs a finalizer over files and results that the test makes
// up, and gives the step as it ended. Relative paths are written below a folder
// of the test's own, which is the trial's Base unless it has one; nothing else
// may be written.
func RunFinalizer(t testing.TB, h handlers.Finalizer, trial FinalizerDryRun) (step tasks.FinalizeStep, base string) {
	t.Helper()
	if trial.Base == "" {
		trial.Base = t.TempDir()
	}
	step, err := trial.Run(t.Context(), h)
	if err != nil {
		t.Fatalf("run the finalizer: %v", err)
	}
	return step, trial.Base
}

func write(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatalf("set up: %v", err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatalf("set up: %v", err)
	}
	return path
}
