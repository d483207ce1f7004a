package recipe_test

import (
	"testing"
	"time"

	"github.com/balerhq/baler/recipe"
)

func TestReuse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]recipe.Reuse{
		"digest":    {By: recipe.ReuseDigest},
		"unchanged": {By: recipe.ReuseUnchanged},
		`{by: digest, max_age: 2160h, version: "2"}`: {By: recipe.ReuseDigest, MaxAge: 2160 * time.Hour, Version: "2"},
	} {
		r := parse(t, "name: a\nsteps:\n  - handler: look\n    reuse: "+text+"\n")
		if got := r.Steps[0].Reuse; got != want {
			t.Errorf("%s: %+v", text, got)
		}
		if plain := parse(t, "name: a\nsteps:\n  - handler: look\n"); !plain.Equivalent(r) {
			t.Errorf("%s makes the results others", text)
		}
	}
}

func TestReuseErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"reuse: yes":                          "test.yaml:4: reuse must be unchanged (same path, size and time) or digest (same content)",
		"reuse: always":                       "test.yaml:4: reuse must be unchanged (same path, size and time) or digest (same content)",
		"reuse: [digest]":                     "test.yaml:4: reuse must be unchanged (same path, size and time) or digest (same content)",
		"reuse: {max_age: 1h}":                "test.yaml:4: reuse does not say by what; write by: unchanged or by: digest",
		"reuse: {by: digest, max_age: 0s}":    "test.yaml:4: max_age 0s must be more than 0 and at most 3650d",
		"reuse: {by: unchanged, version: ''}": "test.yaml:4: version has 0 bytes; write a text of 1 to 64",
		"reuse: digest\nsplit: {lines: 8MiB}": "test.yaml:2: reuse takes over results of whole files; leave out split, or reuse",
		"reuse: unchanged\nfixity: true":      "test.yaml:4: step look: reuse: fixity reads every file again; write reuse: digest, or leave out reuse or fixity",
	} {
		_, err := recipe.Parse("test.yaml", []byte("name: a\nsteps:\n  - handler: look\n    "+text+"\n"))
		wantErrors(t, err, want)
	}
}

func TestCheckReuse(t *testing.T) {
	t.Parallel()
	facts := func(names ...string) func(any) []string { return func(any) []string { return names } }
	find := func(name string) (recipe.HandlerInfo, bool) {
		switch name {
		case "copy":
			return recipe.HandlerInfo{NotReusable: "it writes files", Facts: facts()}, true
		case "md5":
			return recipe.HandlerInfo{Facts: facts("md5")}, true
		case "checksum":
			return recipe.HandlerInfo{Facts: facts("sha256")}, true
		}
		return recipe.HandlerInfo{Facts: facts()}, true
	}
	catalog := recipe.Catalog{Step: find, Finalizer: known()}
	r := parse(t, "name: a\nsteps:\n  - handler: checksum\n  - handler: look\n    reuse: digest\n")
	wantErrors(t, r.Check(catalog), "")
	r = parse(t, "name: a\nsteps:\n  - handler: md5\n  - handler: look\n    reuse: digest\n  - handler: copy\n    reuse: unchanged\n")
	wantErrors(t, r.Check(catalog), `test.yaml:5: step look: reuse: digest needs sha256 or sha512 of the file, which no step before it records; `+
		`put a step with the handler checksum before it, or write reuse: unchanged
test.yaml:7: step copy: reuse: the results of handler "copy" cannot be taken over: it writes files; leave out reuse`)
}
