// Package builtintest runs built-in handlers and finalizers for their tests.
package builtintest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/tasks"
)

// Try runs a handler over one file, and returns its result and facts.
func Try(t testing.TB, h handlers.Handler, args any, path string) (tasks.Result, map[string]any) {
	t.Helper()
	results, err := handlertest.DryRun{Args: args}.Run(t.Context(), h, path)
	if err != nil {
		t.Fatal(err)
	}
	var facts map[string]any
	if results[0].Facts != nil {
		if err := json.Unmarshal(results[0].Facts, &facts); err != nil {
			t.Fatal(err)
		}
	}
	return results[0], facts
}

// Batch runs a handler over one batch of jobs, and returns their results. The test fails
// when the handler leaves a job open.
func Batch(t testing.TB, h handlers.Handler, n int, spec func(i int) handlers.JobSpec) []tasks.Result {
	t.Helper()
	jobs := handlers.NewJobs(n, spec)
	if err := h.Handle(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	results := make([]tasks.Result, len(jobs))
	for i, job := range jobs {
		if !job.IsDone() {
			t.Errorf("job %d is not done", i+1)
		}
		results[i] = job.Result()
	}
	return results
}

// FinalFile writes a file and returns it with its digest, as checksum records it.
func FinalFile(t *testing.T, path, content string) handlers.FinalFile {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	return handlers.FinalFile{
		File:  tasks.File{Path: path, Size: int64(len(content))},
		Facts: map[string]any{"sha256": hex.EncodeToString(sum[:])},
	}
}

// TryFinalizer runs a finalizer like a worker that may write below run.Base.
func TryFinalizer(t *testing.T, h handlers.Finalizer, run handlertest.FinalizerDryRun) tasks.FinalizeStep {
	t.Helper()
	step, err := run.Run(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return step
}

// WantStep checks how a step ended, and that its message contains a text.
func WantStep(t *testing.T, got tasks.FinalizeStep, state tasks.FinalizeState, message string) {
	t.Helper()
	if got.State != state || message == "" && got.Error != "" || !strings.Contains(got.Error, message) {
		t.Errorf("it is %s: %s; want %s: %s", got.State, got.Error, state, message)
	}
}

// WantArgs checks which arguments a finalizer accepts: good ones, and none of bad, whose
// keys are parts of the errors.
func WantArgs(t testing.TB, register func(*handlers.Registry) error, name string, good any, bad map[string]any) {
	t.Helper()
	reg := &handlers.Registry{}
	if err := register(reg); err != nil {
		t.Fatal(err)
	}
	r, ok := reg.LookupFinalizer(name)
	if !ok || r.CheckArgs(good) != nil {
		t.Fatal("not registered, or rejects its arguments")
	}
	for want, args := range bad {
		if err := r.CheckArgs(args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}
