package runner

import (
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

func TestFilesShareArgumentsThatDoNotDependOnThem(t *testing.T) {
	t.Parallel()
	parsed, err := recipe.Parse("t.yaml", []byte(`name: t
steps:
  - {handler: learn, with: {text: same}}
  - {handler: note, with: {text: "${name}"}}`))
	testkit.Must(t, err)
	for i, want := range [][2]string{{"same", "changed"}, {"a.txt", "b.txt"}} {
		argsOf := argsOf(parsed.Steps[i])
		first, err := argsOf(&tasks.File{Path: "/d/a.txt"}, nil)
		testkit.Must(t, err)
		text := first.(map[string]any)["text"]     //nolint:forcetypeassert // the test fails
		first.(map[string]any)["text"] = "changed" //nolint:forcetypeassert // the test fails
		second, err := argsOf(&tasks.File{Path: "/d/b.txt"}, nil)
		testkit.Must(t, err)
		if got := [2]any{text, second.(map[string]any)["text"]}; got != [2]any{want[0], want[1]} { //nolint:forcetypeassert // the test fails
			t.Errorf("step %d: %v, want %v", i+1, got, want)
		}
	}
}
