package recipe_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

// known finds handlers of these names.
func known(names ...string) func(string) (recipe.HandlerInfo, bool) {
	return func(name string) (recipe.HandlerInfo, bool) {
		return recipe.HandlerInfo{}, slices.Contains(names, name)
	}
}

// wantErrors checks that err has exactly these errors, one per line.
func wantErrors(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("got:\n%v\nwant no error", err)
		}
		return
	}
	if _, ok := errors.AsType[recipe.Errors](err); !ok || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	r := parse(t, "name: a\nsteps:\n  - handler: checksum\n  - name: x\n    handler: checksun\n  - handler: thumbnail\n")
	wantErrors(t, r.Check(recipe.Catalog{Step: known("checksum", "checksun", "thumbnail"), Finalizer: known()}), "")
	wantErrors(t, r.Check(recipe.Catalog{Step: known("checksum"), Finalizer: known("manifest")}),
		`test.yaml:5: step x: no handler is called "checksun"; did you mean "checksum"?
test.yaml:6: step thumbnail: no handler is called "thumbnail"; register it with the worker, or correct the name`)
}

func TestCheckFinalizers(t *testing.T) {
	t.Parallel()
	r := parse(t, `name: a
steps:
  - handler: checksum
  - handler: manifest
finally:
  - handler: manifset
  - handler: checksum
  - handler: upload
`)
	wantErrors(t, r.Check(recipe.Catalog{Step: known("checksum"), Finalizer: known("manifest")}),
		`test.yaml:4: step manifest: "manifest" runs once for a whole transfer; list it under "finally"
test.yaml:6: final step manifset: no handler is called "manifset"; did you mean "manifest"?
test.yaml:7: final step checksum: "checksum" runs for files; list it under "steps"
test.yaml:8: final step upload: no handler is called "upload"; register it with the worker, or correct the name`)
}

// Arguments that a handler refuses have the line of their "with", also in final steps.
func TestCheckArgs(t *testing.T) {
	t.Parallel()
	picky := func(string) (recipe.HandlerInfo, bool) {
		return recipe.HandlerInfo{CheckArgs: func(args any) error {
			if args == nil {
				return errors.New("to is missing")
			}
			return fmt.Errorf("unknown argument %v", args)
		}}, true
	}
	r := parse(t, `name: a
steps:
  - handler: one
    with: wrong
  - {handler: two, with: "${path}"}
finally:
  - handler: manifest
  - handler: report

    with: 7
`)
	wantErrors(t, r.Check(recipe.Catalog{Step: picky, Finalizer: picky}), `test.yaml:4: step one: with: unknown argument wrong
test.yaml:7: final step manifest: with: to is missing
test.yaml:10: final step report: with: unknown argument 7`)
}

// Only a handler that takes files one by one can keep the time limit of a file.
func TestCheckTimeout(t *testing.T) {
	t.Parallel()
	whole := func(string) (recipe.HandlerInfo, bool) { return recipe.HandlerInfo{WholeBatches: true}, true }
	r := parse(t, "name: a\nsteps:\n  - handler: one\n    timeout: 3s\n  - {handler: two, batch_timeout: 3s}\n")
	wantErrors(t, r.Check(recipe.Catalog{Step: known("one", "two"), Finalizer: known()}), "")
	wantErrors(t, r.Check(recipe.Catalog{Step: whole, Finalizer: known()}),
		`test.yaml:3: step one: timeout: handler "one" works on whole batches and cannot time a file; set batch_timeout instead`)
}

// A recipe that compares files needs digests of whole files.
func TestCheckFixity(t *testing.T) {
	t.Parallel()
	digests := func(names ...string) recipe.Catalog {
		return recipe.Catalog{Finalizer: known(), Step: func(string) (recipe.HandlerInfo, bool) {
			return recipe.HandlerInfo{Facts: func(any) []string { return names }}, true
		}}
	}
	r := parse(t, "name: a\nfixity: true\nsteps:\n  - handler: sums\n")
	wantErrors(t, r.Check(digests("size", "md5")), "")
	wantErrors(t, r.Check(digests("size", "mime")),
		"test.yaml:4: fixity compares digests, and no step records sha256, sha512, sha1, md5; add a step with the handler checksum")
	if plain := parse(t, "name: a\nsteps:\n  - handler: sums\n"); r.Digest() == plain.Digest() {
		t.Error("the digests of the two recipes are equal")
	}
	_, err := recipe.Parse("test.yaml", []byte("name: a\nsplit: {lines: 1MiB}\nfixity: true\nsteps: [{handler: a}]"))
	wantErrors(t, err, "test.yaml:3: fixity compares whole files; leave out split, or fixity")
	_, err = recipe.Parse("test.yaml", []byte("name: a\nfixity: yes please\nsteps: [{handler: a}]"))
	wantErrors(t, err, "test.yaml:2: fixity must be true or false, not text")
}

func TestCheckFacts(t *testing.T) {
	t.Parallel()
	facts := map[string][]string{"sums": {"md5", "size"}, "look": {"mime"}, "nothing": {}}
	catalog := recipe.Catalog{Finalizer: known(), Step: func(name string) (recipe.HandlerInfo, bool) {
		names, ok := facts[name]
		if !ok {
			return recipe.HandlerInfo{}, true // it may record any fact
		}
		return recipe.HandlerInfo{Facts: func(any) []string { return names }}, true
	}}
	for _, c := range []struct{ steps, want string }{
		{"{handler: sums}, {handler: look, when: 'facts.md5 != nil && \"size\" in facts'}, {handler: x, when: facts.mime == \"a\"}", ""},
		{"{handler: sums}, {handler: x, when: 'facts[path] == nil'}", ""},
		{"{handler: x}, {handler: y, when: facts.anything}, {handler: z, with: '${facts.other}'}", ""},
		{"{handler: sums, with: '${path}'}, {handler: x, when: facts.anything}", ""},
		{"{handler: sums}, {handler: x, when: facts.md4 == 1}",
			`step x: when "facts.md4 == 1" reads the fact "md4", which no step before it records; did you mean "md5"?`},
		{"{handler: sums}, {handler: x, when: 'facts[\"puid\"]?.a'}",
			`step x: when "facts[\"puid\"]?.a" reads the fact "puid", which no step before it records; they record md5, size`},
		{"{handler: sums}, {handler: x, when: '\"puid\" in facts'}",
			`step x: when "\"puid\" in facts" reads the fact "puid", which no step before it records; they record md5, size`},
		{"{handler: nothing}, {handler: x, with: {a: ['${facts.mime}']}}",
			`step x: with "${facts.mime}" reads the fact "mime", which no step before it records; they record none`},
		{"{handler: x, when: facts.mime == nil}, {handler: look}",
			`step x: when "facts.mime == nil" reads the fact "mime", which no step before it records; move step look, which records it, before this one`},
		{"{handler: look, when: facts.mime == nil}",
			`step look: when "facts.mime == nil" reads the fact "mime", which no step before it records; the step itself records it`},
	} {
		r, err := recipe.Parse("f", []byte("name: a\nsteps: ["+c.steps+"]\n"))
		if err != nil {
			t.Errorf("%s: %v", c.steps, err)
			continue
		}
		if c.want != "" {
			c.want = "f:2: " + c.want
		}
		wantErrors(t, r.Check(catalog), c.want)
	}
}

func TestSizesInExpressions(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]bool{
		"size > 4GiB":                        true,
		"size == 5 * 1GiB and size < 6e9":    true,
		"size in [5GiB, 1kB]":                true,
		"size < 1.5TiB":                      true,
		"name == '4GiB' or path == \"4GiB\"": false,
		"/* 4GiB */ size < 0x4B // 4GiB":     false,
	} {
		r, err := recipe.Parse("f", []byte(fmt.Sprintf("name: a\nsteps: [{handler: x, when: %q}]\n", when)))
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		got, err := r.Next(0, &tasks.File{Path: "/a", Size: 5 << 30}, nil)
		if err != nil || got == 1 != want {
			t.Errorf("%s selects %v, %v; want %v", when, got == 1, err, want)
		}
	}
}

func TestStopAfterOfARecipe(t *testing.T) {
	for text, want := range map[string]tasks.StopAfter{"5%": {Share: 5}, "0.5%": {Share: 0.5}, "100": {Count: 100}, `"7"`: {Count: 7}} {
		if r := parse(t, "name: a\nstop_after: "+text+"\nsteps: [{handler: a}]"); r.StopAfter != want {
			t.Errorf("%s reads as %+v", text, r.StopAfter)
		}
	}
	for _, bad := range []string{"0", "100%", "none", "5.5", "true", "[5%]"} {
		_, err := recipe.Parse("test.yaml", []byte("name: a\nstop_after: "+bad+"\nsteps: [{handler: a}]"))
		wantErrors(t, err, "test.yaml:2: stop_after must be a share of failures above 0% and below 100%, such as 5%, or their number, such as 100")
	}
}

func TestApproveOfAStep(t *testing.T) {
	if r := parse(t, "name: a\nsteps: [{handler: a}, {handler: b, approve: true}]"); r.Steps[0].Approve || !r.Steps[1].Approve {
		t.Errorf("approve is %v, %v", r.Steps[0].Approve, r.Steps[1].Approve)
	}
}
