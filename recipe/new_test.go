package recipe_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// A worker parses the text of a recipe that another process made from values. Both must
// have the same recipe.
func TestNewEqualsItsText(t *testing.T) {
	t.Parallel()
	with := map[string]any{
		"into": "t", "key": []string{"a", "ü"}, "create": true, "n": 3, "none": nil, "deep": map[string]any{"x": []any{1, "y: - #"}},
		"text": "${size} $${x} <&> \" \\ \n\t\u2028 \x00 é", "empty": "", "number": "017", "word": "yes",
	}
	for name, test := range map[string]struct {
		split int64
		with  map[string]any
	}{"arguments": {8 << 20, with}, "no arguments": {0, nil}} {
		r, err := recipe.New("own", test.split, "load", test.with)
		testkit.Must(t, err)
		parsed, err := recipe.Parse("own", []byte(r.YAML()))
		testkit.Must(t, err)
		if r.Digest() != parsed.Digest() || r.Steps[0].ArgsDigest() != parsed.Steps[0].ArgsDigest() {
			t.Errorf("%s: another digest than that of %s", name, r.YAML())
		}
		if r.Name != parsed.Name || r.Split != parsed.Split || r.Steps[0].Name != parsed.Steps[0].Name {
			t.Errorf("%s: %+v, parsed %+v", name, r, parsed)
		}
		args, err := r.Steps[0].Args(&tasks.File{}, nil)
		testkit.Must(t, err)
		again, err := parsed.Steps[0].Args(&tasks.File{}, nil)
		testkit.Must(t, err)
		if !reflect.DeepEqual(args, again) {
			t.Errorf("%s: arguments %#v, parsed %#v", name, args, again)
		}
		if m, _ := args.(map[string]any); test.with != nil && (m["text"] != with["text"] || m["n"] != 3) {
			t.Errorf("%s: arguments %#v", name, args)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	var deep any = "end"
	for range 40 {
		deep = []any{deep}
	}
	for _, test := range []struct {
		name    string
		split   int64
		handler string
		with    map[string]any
		want    string
	}{
		{"Own", 0, "load", nil, `name "Own" must be 1 to 64 of a-z`},
		{"own", 0, "", nil, `handler "" must be 1 to 64 of a-z`},
		{"own", 1, "load", nil, "lines 1 must be from 4KiB to 1GiB"},
		{"own", -1, "load", nil, "lines -1 must be from 4KiB to 1GiB"},
		{"own", 0, "load", map[string]any{"x": "\xff"}, "is not UTF-8 text"},
		{"own", 0, "load", map[string]any{"x": 0.5}, "with cannot hold a float64"},
		{"own", 0, "load", map[string]any{"x": deep}, "nested more than 32 deep"},
		{"own", 0, "load", map[string]any{"x": strings.Repeat("a", 64_000)}, "bytes long, the limit is 64000"},
	} {
		r, err := recipe.New(test.name, test.split, test.handler, test.with)
		var all recipe.Errors
		if r != nil || !errors.As(err, &all) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("want %q, got %v", test.want, err)
		}
	}
}
