package recipe_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
)

func TestBuiltins(t *testing.T) {
	t.Parallel()
	handlers := map[string][]string{
		"default": {"identify"}, "checksum": {"checksum"}, "identify": {"identify"}, "noop": {"noop"},
		"fixity":       {"checksum"},
		"preservation": {"checksum", "verify", "virus-scan", "identify", "extract", "characterize", "validate", "thumbnail"},
		"copy":         {"checksum", "copy"}, "load": {"load"},
	}
	for name, want := range handlers {
		r, ok := recipe.Builtin(name)
		if !ok {
			t.Errorf("%s: missing", name)
			continue
		}
		var got []string
		for _, s := range r.Steps {
			got = append(got, s.Handler)
		}
		if r.Name != name || !slices.Equal(got, want) {
			t.Errorf("%s: called %s, handlers %v", name, r.Name, got)
		}
	}
	for _, name := range recipe.Builtins() { // also those that this test does not list
		if r, ok := recipe.Builtin(name); !ok || r.Name != name || r.Description == "" {
			t.Errorf("%s: %v", name, ok)
		}
	}
	for _, name := range []string{"", "nope", "../recipe", "default.yaml"} {
		if _, ok := recipe.Builtin(name); ok {
			t.Errorf("Builtin(%q) found one", name)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	if r, err := recipe.Load("checksum"); err != nil || r.Name != "checksum" {
		t.Errorf("a built-in name: %v", err)
	}
	path := filepath.Join(t.TempDir(), "mine.yml")
	testkit.WriteFile(t, path, "name: mine\nsteps: [{handler: noop}]\n")
	if r, err := recipe.Load(path); err != nil || r.Name != "mine" {
		t.Errorf("a path: %v", err)
	}
	if _, err := recipe.Load("checksum.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	testkit.WriteFile(t, path, "name: mine\n")
	if _, err := recipe.Load(path); err == nil || !strings.HasPrefix(err.Error(), path+":1: ") {
		t.Errorf("a bad file: %v", err)
	}
	testkit.WriteFile(t, path, strings.Repeat("#", 1<<20))
	if _, err := recipe.Load(path); err == nil || !strings.Contains(err.Error(), "the limit is") {
		t.Errorf("a huge file: %v", err)
	}
}

func TestLoadUnknownName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"defalt": `no recipe is called "defalt"; did you mean "default"?`,
		"photos": `no recipe is called "photos"; the built-in ones are checksum, copy, default, fixity, formats, identify, load, noop, preservation, thumbnails, or give the path of a .yaml file`,
	} {
		_, err := recipe.Load(name)
		if _, ok := errors.AsType[*recipe.UnknownError](err); !ok || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
