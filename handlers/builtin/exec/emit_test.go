//go:build unix

package exec

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/balerhq/baler/handlers/handlertest"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

func TestCommandEmits(t *testing.T) {
	t.Parallel()
	out, err := filepath.EvalSymlinks(t.TempDir())
	testkit.Must(t, err)
	in := t.TempDir()
	testkit.WriteTree(t, in, "a")
	const write = `mkdir -p "$1/sub" && echo 1 > "$1/one" && echo 2 > "$1/sub/two" && ln -s one "$1/link"`
	for name, c := range map[string]struct {
		command string
		folder  string
		end     string
		names   []string
	}{
		"files":        {write, out + "/files", "succeeded", []string{"one", "sub/two"}},
		"nothing":      {"exit 0", out + "/nothing", "succeeded", nil},
		"failure":      {write + "; exit 1", out + "/failure", "failed exit-1", nil},
		"outside":      {write, t.TempDir() + "/x", "failed bad-emit", nil},
		"not a folder": {`echo 1 > "$1"`, out + "/file", "failed bad-emit", nil},
		"relative":     {write, "out", "failed bad-args", nil},
	} {
		t.Run(name, func(t *testing.T) {
			results, err := handlertest.DryRun{
				Args: map[string]any{"command": []any{"sh", "-c", c.command, "sh", c.folder}, "emit": c.folder}, Outputs: []string{out},
			}.Run(t.Context(), New(), filepath.Join(in, "a"))
			testkit.Must(t, err)
			r := &results[0]
			end := string(r.Outcome)
			if r.Outcome != tasks.OutcomeSucceeded {
				end += " " + r.Code
			}
			var names []string
			for _, f := range r.Emitted {
				names = append(names, f.Emitted.Name)
				if _, err := os.Stat(f.Path); err != nil || f.Emitted.Base != c.folder {
					t.Errorf("%+v: %v", f, err)
				}
			}
			if end != c.end || !slices.Equal(names, c.names) {
				t.Errorf("%s with %q, want %s with %q: %s", end, names, c.end, c.names, r.Error)
			}
		})
	}
}
