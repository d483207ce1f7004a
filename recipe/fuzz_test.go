package recipe_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// For any text, Parse returns either a recipe whose text parses into the same recipe and
// which can be run, or errors that name a line.
func FuzzParse(f *testing.F) {
	for _, name := range recipe.Builtins() {
		r, _ := recipe.Builtin(name)
		f.Add(r.YAML())
	}
	files, err := filepath.Glob("testdata/bad/*.yaml")
	testkit.Must(f, err)
	for _, file := range files {
		source, err := os.ReadFile(file)
		testkit.Must(f, err)
		f.Add(string(source))
	}
	f.Add("name: a\nsteps:\n  - handler: b\n    with: {x: '${ facts.y ?? 1 } $${'}\n    when: |\n      size > 0\n    retry: {attempts: 2}\n")
	f.Add(ruled)
	f.Add("name: a\nsteps:\n  - {handler: b, rules: 'builtin:characterize'}")
	f.Fuzz(func(t *testing.T, source string) {
		r, err := recipe.Parse("f.yaml", []byte(source))
		if err != nil {
			checkErrors(t, source, err)
			return
		}
		again, err := recipe.Parse("g.yaml", []byte(r.YAML()))
		if err != nil || again.Digest() != r.Digest() || !reflect.DeepEqual(outline(again), outline(r)) {
			t.Fatalf("reads differently the second time: %v", err)
		}
		file := &tasks.File{Path: "/a/b.jpg", Size: 3}
		for _, facts := range []map[string]any{nil, {"y": "text", "x": 2.0}} {
			for after := range r.Steps {
				if step, err := r.Next(after, file, facts); step != 0 && step <= after || step == 0 && err != nil {
					t.Fatalf("the step after %d is %d, %v", after, step, err)
				}
				if _, err := r.Step(after+1).Args(file, facts); err != nil {
					if _, ok := errors.AsType[*recipe.EvalError](err); !ok {
						t.Fatalf("arguments: %T", err)
					}
				}
			}
		}
	})
}

func checkErrors(t *testing.T, source string, err error) {
	t.Helper()
	all, ok := errors.AsType[recipe.Errors](err)
	if !ok || len(all) == 0 {
		t.Fatalf("%T: %v", err, err)
	}
	// A lone carriage return ends a line in YAML too.
	lines := strings.Count(source, "\n") + strings.Count(source, "\r") + 2
	for _, e := range all {
		if e.Line < 1 || e.Line > lines || e.Message == "" {
			t.Fatalf("line %d of %d: %q", e.Line, lines, e.Message)
		}
	}
}
