//go:build unix

package exec

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	const write = `mkdir "$1/sub" && echo 1 > "$1/one" && echo 2 > "$1/sub/two" && ln -s one "$1/link"`
	for name, c := range map[string]struct {
		command string
		emit    string
		word    string
		end     string
		names   []string
	}{
		"files":    {write, out + "/files", "{emit}", "succeeded", []string{"one", "sub/two"}},
		"option":   {`echo 1 > "${1#--to=}"`, out + "/option", "--to={emit}/x", "succeeded", []string{"x"}},
		"nothing":  {"exit 0", out + "/nothing", "{emit}", "succeeded", nil},
		"failure":  {write + "; exit 1", out + "/failure", "{emit}", "failed exit-1", nil},
		"outside":  {write, t.TempDir() + "/x", "{emit}", "failed outside-outputs", nil},
		"source":   {write, in + "/sub", "{emit}", "failed output-in-source", nil},
		"no word":  {write, out + "/files", "x", "failed bad-args", nil},
		"no emit":  {write, "", "{emit}", "failed bad-args", nil},
		"relative": {write, "out", "{emit}", "failed bad-args", nil},
	} {
		t.Run(name, func(t *testing.T) {
			results, err := handlertest.DryRun{
				Args: map[string]any{"command": []any{"sh", "-c", c.command, "sh", c.word}, "emit": c.emit}, Outputs: []string{out, in}, Sources: []string{in},
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
				if _, err := os.Stat(f.Path); err != nil || f.Emitted.Base != c.emit {
					t.Errorf("%+v: %v", f, err)
				}
			}
			if end != c.end || !slices.Equal(names, c.names) {
				t.Errorf("%s with %q, want %s with %q: %s", end, names, c.end, c.names, r.Error)
			}
			left, _ := filepath.Glob(c.emit + "/*")
			if want := len(c.names) > 0; strings.HasPrefix(c.emit, out) && c.word != "x" && (len(left) > 0) != want {
				t.Errorf("left %q", left)
			}
		})
	}
}

// Two files of the same content, two of the same name, and a second run of a command get
// folders of their own: nothing is written over.
func TestEachFileHasAFolderOfItsOwn(t *testing.T) {
	t.Parallel()
	out, in, others := t.TempDir(), t.TempDir(), t.TempDir()
	for path, content := range map[string]string{in + "/a": "same", in + "/b": "same", others + "/a": "other"} {
		testkit.WriteFile(t, path, content)
	}
	paths := map[string]string{}
	for _, path := range []string{in + "/a", in + "/b", others + "/a", in + "/a"} {
		results, err := handlertest.DryRun{
			Args: map[string]any{
				"command": []any{"sh", "-c", `cp "$1" page && echo "$OUT" > where`, "sh", path},
				"emit":    out, "dir": "{emit}", "env": []any{"OUT={emit}"},
			}, Outputs: []string{out}, Sources: []string{filepath.Dir(path)},
		}.Run(t.Context(), New(), path)
		testkit.Must(t, err)
		r := &results[0]
		if len(r.Emitted) != 2 {
			t.Fatalf("%s %s: emitted %+v", r.Outcome, r.Error, r.Emitted)
		}
		content, err := os.ReadFile(r.Emitted[0].Path)
		testkit.Must(t, err)
		paths[r.Emitted[0].Path] = string(content)
	}
	want := map[string]string{
		out + "/a.files/page": "same", out + "/b.files/page": "same", out + "/a.files-2/page": "other", out + "/a.files-3/page": "same",
	}
	if !maps.Equal(paths, want) {
		t.Errorf("%q, want %q", paths, want)
	}
}
