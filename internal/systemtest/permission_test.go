//go:build unix

package systemtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/balerhq/baler"
	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/handlers/builtin"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A submitted recipe runs programs on a worker only when the worker's operator allows it.
func TestWorkerRunsOnlyTheCommandsOfItsRecipes(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, c config.Config) {
		const trusted = "name: x\nsteps:\n  - handler: exec\n    retry: {attempts: 1}\n    with: {command: [./own.sh, \"${path}\"]}\n"
		const changed = "name: x\nsteps:\n  - handler: exec\n    retry: {attempts: 1}\n    with: {command: [sh, -c, id]}\n"
		folder := t.TempDir()
		testkit.Must(t, os.WriteFile(filepath.Join(folder, "own.yaml"), []byte("# the operator's\n"+trusted), 0o600))
		testkit.Must(t, os.WriteFile(filepath.Join(folder, "own.sh"), []byte("#!/bin/sh\necho own\n"), 0o700))
		c.Worker.Recipes = []string{folder}
		b := open(t, c, builtin.Registry())
		work(t, b)
		root := testkit.NumberedTree(t, 1)
		for recipe, want := range map[string]tasks.Result{
			trusted: {Outcome: tasks.OutcomeSucceeded, Output: "own\n"},
			changed: {Outcome: tasks.OutcomeError, Code: handlers.CodeCommandsNotAllowed},
		} {
			tr, _, err := b.Submit(t.Context(), baler.Submission{Paths: []string{root}, Recipe: yaml(t, recipe)})
			testkit.Must(t, err)
			lines := audit(t, b, wait(t, b, tr.UUID))
			if len(lines) != 1 || lines[0].Outcome != want.Outcome || lines[0].Code != want.Code || lines[0].Output != want.Output {
				t.Errorf("%s\ngot %+v", recipe, lines)
			}
		}
	})
}
