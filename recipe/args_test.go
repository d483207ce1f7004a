package recipe_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

func with(t testing.TB, value string) *recipe.Step {
	t.Helper()
	return parse(t, "name: a\nsteps:\n  - handler: noop\n    with: "+value+"\n").Step(1)
}

func TestArgs(t *testing.T) {
	t.Parallel()
	file := &tasks.File{Path: "/a/b.jpg", Size: 10, MTime: time.Date(2024, 5, 1, 2, 3, 4, 0, time.FixedZone("", 3600))}
	facts := map[string]any{
		"n": 1.5, "s": "text", "list": []any{"a", map[string]any{"b": 1.0}}, "nil": nil,
		"big": int64(1) << 60, "number": json.Number("12"),
	}
	type object = map[string]any
	for source, want := range map[string]any{
		"":                                nil,
		"null":                            nil,
		"true":                            true,
		"7":                               7,
		"-7":                              -7,
		"0x10":                            16,
		"1.5":                             1.5,
		"text":                            "text",
		"'7'":                             "7",
		"[]":                              []any{},
		"{}":                              object{},
		"{a: [1, {b: null}], c: yes}":     object{"a": []any{1, object{"b": nil}}, "c": "yes"},
		"|\n      x\n      y":             "x\ny\n",
		"'${size}'":                       10,
		"'${ size * 2 }'":                 20,
		"'${size / 4}'":                   2.5,
		"'${size > 3}'":                   true,
		"'${facts.n}'":                    1.5,
		"'${facts.s}'":                    "text",
		"'${facts.list}'":                 []any{"a", object{"b": 1.0}},
		"'${facts.gone}'":                 nil,
		"'${facts.big}'":                  1 << 60,
		"'${facts.number}'":               12.0,
		"'${mtime}'":                      "2024-05-01T01:03:04Z",
		"'${split(name, \".\")}'":         []any{"b", "jpg"},
		"'${ {\"x\": \"}\"} }'":           object{"x": "}"},
		"'${filter([1, 2], {# > 1})}'":    []any{2.0},
		"'${duration(\"90s\")}'":          "1m30s",
		"'size ${size}, ${name}!'":        "size 10, b.jpg!",
		"'${size}${size}'":                "1010",
		"' ${size}'":                      " 10",
		"'${facts.list} ${size > 3}'":     `["a",{"b":1}] true`,
		"'at ${mtime}'":                   "at 2024-05-01T01:03:04Z",
		"'$${size}'":                      "${size}",
		"'a$${b ${size} $${c}'":           "a${b 10 ${c}",
		"'$5 {x} $'":                      "$5 {x} $",
		"'${ \"it\\\"s } \" + `\\` }'":    `it"s } \`,
		"{a: ['${size}', {b: '${ext}'}]}": object{"a": []any{10, object{"b": ".jpg"}}},
	} {
		got, err := with(t, source).Args(file, facts)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v", source, got, err, want)
		}
	}
}

func TestArgsBelongToTheCaller(t *testing.T) {
	t.Parallel()
	facts := map[string]any{"list": []any{"a"}}
	for _, source := range []string{"{list: [a], o: {k: v}}", "{list: '${facts.list}', o: {k: v}}"} {
		s := with(t, source)
		first, err := s.Args(&tasks.File{Path: "/a"}, facts)
		testkit.Must(t, err)
		first.(map[string]any)["list"].([]any)[0] = "changed"
		delete(first.(map[string]any)["o"].(map[string]any), "k")
		second, err := s.Args(&tasks.File{Path: "/a"}, facts)
		if want := map[string]any{"list": []any{"a"}, "o": map[string]any{"k": "v"}}; err != nil || !reflect.DeepEqual(second, want) {
			t.Errorf("%s: a caller's change shows: %v, %v", source, second, err)
		}
	}
	if facts["list"].([]any)[0] != "a" {
		t.Error("a caller's change shows in the facts")
	}
}

func TestArgsErrors(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"'x ${facts.gone}'":  `step noop: with "x ${facts.gone}": ${facts.gone}: is nil; give a default with ?? "…"`,
		"['${facts.s * 2}']": `step noop: with "${facts.s * 2}": invalid operation: text * number (column 9)`,
		"{a: '${1/0}'}":      `step noop: with "${1/0}": is +Inf, which is not a JSON value`,
	} {
		got, err := with(t, source).Args(&tasks.File{Path: "/a"}, map[string]any{"s": "x"})
		if _, ok := errors.AsType[*recipe.EvalError](err); !ok || got != nil || err.Error() != want {
			t.Errorf("%s: %v, %v", source, got, err)
		}
	}
}

func BenchmarkArgs(b *testing.B) {
	f := &tasks.File{Path: "/a/b.jpg", Size: 2}
	for _, source := range []string{"null", "{algorithms: [sha256]}", "{to: 'x/${name}.sum'}"} {
		s := with(b, source)
		b.Run(strings.ReplaceAll(source, " ", ""), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Args(f, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
