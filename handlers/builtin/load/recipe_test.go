package load_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/balerhq/baler/handlers/builtin/load"
	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// The step of the recipe loads with the arguments that the recipe was made of.
func TestRecipeHasTheArguments(t *testing.T) {
	t.Parallel()
	all := load.Args{
		Into: "books", Map: []string{"title=a.b:text", "year"}, LineColumn: "line", LineContains: `"${x}`, Key: []string{"year"},
		OnDuplicate: tableload.DuplicateUpdate,
	}
	for _, want := range []load.Args{{Into: "books"}, all} {
		r, err := want.Recipe(load.DefaultChunkSize)
		testkit.Must(t, err)
		args, err := r.Steps[0].Args(&tasks.File{}, nil)
		testkit.Must(t, err)
		text, err := json.Marshal(args)
		testkit.Must(t, err)
		var got load.Args
		testkit.Must(t, json.Unmarshal(text, &got))
		if !reflect.DeepEqual(got, want) || r.Split != load.DefaultChunkSize {
			t.Errorf("%+v, want %+v", got, want)
		}
		creating := want
		creating.Create = true
		again, err := creating.Recipe(load.DefaultChunkSize)
		testkit.Must(t, err)
		if again.Digest() != r.Digest() {
			t.Error("the run that creates the table has another recipe")
		}
	}
}
