package ingest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/store"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

func TestSameRequest(t *testing.T) {
	t.Parallel()
	parse := func(source string) *recipe.Recipe {
		r, err := recipe.Parse("test", []byte(source))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	sums := parse("name: sums\nsteps: [{handler: checksum}]\n")
	for _, c := range []struct {
		sources string
		recipe  *recipe.Recipe
		queue   string
		want    string // of the difference; empty: the same request
	}{
		{"/a /b", sums, "q", ""},
		{"/b /a /a", sums, "q", ""},
		{"/a /b", parse("# a comment\nname: others\nsteps: [{handler: checksum, timeout: 1s}]"), "q", ""},
		{"/a /c", sums, "q", `has the path "/b", not "/c"; `},
		{"/a", sums, "q", `has also the path "/b"; `},
		{"/a /b /c /d /e /f", sums, "q", `has no path "/c", "/d", "/e" and 1 more; `},
		{"", sums, "q", `has "/a", "/b", not paths from a list; `},
		{"/a /b", parse("name: sums\nsteps: [{handler: noop}]"), "q", `has another version of the recipe "sums"; `},
		{"/c", parse("name: look\nsteps: [{handler: noop}]"), "z",
			`has the path "/a", "/b", not "/c", and the recipe "sums", not "look", and the queue "q", not "z"; `},
	} {
		was := tasks.Transfer{UUID: "ID", Sources: []string{"/a", "/b"}, Recipe: sums.YAML(), Queue: "q", Weight: 1}
		n := store.NewTransfer{Key: "k", Sources: strings.Fields(c.sources), Recipe: c.recipe.YAML(), Queue: c.queue}
		err := sameRequest(&was, &n, c.recipe)
		updated := was
		updated.Weight, updated.StopAfter, updated.UpdatedAt = 5, tasks.StopAfter{Count: 3}, time.Unix(1, 0)
		if again := sameRequest(&updated, &n, c.recipe); (again == nil) != (err == nil) {
			t.Errorf("%s, %s: after an update %v, before it %v", c.sources, c.recipe.Name, again, err)
		}
		if c.want == "" {
			if err != nil {
				t.Errorf("%s, %s: %v, want the same request", c.sources, c.recipe.Name, err)
			}
			continue
		}
		if !errors.Is(err, ErrKeyReused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, want %s", c.sources, c.recipe.Name, err, c.want)
		}
	}
}
