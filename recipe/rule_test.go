package recipe_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/recipe"
	"github.com/balerhq/baler/tasks"
)

const ruled = `
name: ruled
steps:
  - handler: identify
  - name: convert
    handler: exec
    with: {each: file, command: [never], env: [A]}
    rules:
      - {name: tiny, max_size: 9, nothing: true}
      - {name: pictures, mime: image/*, ext: [jpg, .PNG], with: {command: [picture, "${name}"]}}
      - {name: pdf-a, puid: [fmt/95, fmt/354], with: {command: [pdf-a]}}
      - {name: large, min_size: 1KiB, when: facts.format startsWith "Por", with: {command: [large], env: []}}
      - {name: text, mime: text/plain}
`

func TestRulesChooseByFile(t *testing.T) {
	t.Parallel()
	r := parse(t, ruled)
	for name, c := range map[string]struct {
		path    string
		size    int64
		facts   map[string]any
		command string // empty: nothing to do
		env     string
	}{
		"type and extension":     {"/a/X.JPG", 100, map[string]any{"mime": "image/jpeg"}, "picture X.JPG", "A"},
		"type in capitals":       {"/a/x.png", 100, map[string]any{"mime": "Image/PNG"}, "picture x.png", "A"},
		"one of several types":   {"/a/x.png", 100, map[string]any{"mime": "application/x, image/png"}, "picture x.png", "A"},
		"other extension":        {"/a/x.gif", 100, map[string]any{"mime": "image/gif"}, "", ""},
		"other type":             {"/a/x.jpg", 100, map[string]any{"mime": "imagery/x"}, "", ""},
		"nothing comes first":    {"/a/x.jpg", 9, map[string]any{"mime": "image/jpeg"}, "", ""},
		"identifier":             {"/a/x.pdf", 100, map[string]any{"puid": "fmt/354"}, "pdf-a", "A"},
		"similar identifier":     {"/a/x.pdf", 100, map[string]any{"puid": "fmt/35"}, "", ""},
		"first match wins":       {"/a/x.pdf", 2000, map[string]any{"puid": "fmt/95", "format": "Portable"}, "pdf-a", "A"},
		"expression and size":    {"/a/x.pdf", 1024, map[string]any{"puid": "fmt/18", "format": "Portable"}, "large", ""},
		"expression, too small":  {"/a/x.pdf", 1023, map[string]any{"puid": "fmt/18", "format": "Portable"}, "", ""},
		"arguments of the step":  {"/a/x.txt", 100, map[string]any{"mime": "text/plain"}, "never", "A"},
		"no facts":               {"/a/x.txt", 100, nil, "", ""},
		"facts of another shape": {"/a/x.txt", 100, map[string]any{"mime": 3.0, "puid": []any{}}, "", ""},
	} {
		f := &tasks.File{Path: c.path, Size: c.size}
		step, err := r.Next(1, f, c.facts)
		testkit.Must(t, err)
		if (step == 2) != (c.command != "") {
			t.Errorf("%s: step %d", name, step)
		}
		if c.command == "" {
			if args, err := r.Steps[1].Args(f, c.facts); err == nil {
				t.Errorf("%s: arguments %v for a file that is left out", name, args)
			}
			continue
		}
		args, err := r.Steps[1].Args(f, c.facts)
		testkit.Must(t, err)
		object, _ := args.(map[string]any)
		if got := joined(object["command"]); got != c.command || joined(object["env"]) != c.env || object["each"] != "file" {
			t.Errorf("%s: %v", name, args)
		}
	}
	if !r.NeedsFacts(2) || !r.Steps[1].HasCondition() || !r.Steps[1].ArgsTemplated() {
		t.Error("rules read facts, and select files")
	}
	if r := parse(t, "name: a\nsteps: [{handler: a, rules: [{name: b, ext: c}]}]"); r.NeedsFacts(1) {
		t.Error("a rule by extension needs no facts")
	}
}

func joined(list any) string {
	var words []string
	items, _ := list.([]any)
	for _, w := range items {
		s, _ := w.(string)
		words = append(words, s)
	}
	return strings.Join(words, " ")
}

func TestFailingRuleKeepsTheFile(t *testing.T) {
	t.Parallel()
	r := parse(t, ruled)
	step, err := r.Next(1, &tasks.File{Path: "/a", Size: 2000}, map[string]any{"format": 3.0})
	bad, ok := errors.AsType[*recipe.EvalError](err)
	if step != 2 || !ok || bad.Number != 2 || !strings.Contains(err.Error(), `step convert: rule large: when "facts.format startsWith`) {
		t.Errorf("step %d, %v", step, err)
	}
}

func TestRulesOfAFileStayWithTheRecipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own := `description: mine
rules:
  - name: markup   # <b> & "quotes"
    ext: [html]
    with: {command: [a, "<${name}> & 'x' $${no}"], outcomes: {0: succeeded, 3-5: warning}, x: 1.5, y: null, "z: z": [true, {}]}
  - {name: rest, nothing: true}
`
	testkit.WriteFileIn(t, dir, "mine.yaml", own)
	path := testkit.WriteFileIn(t, dir, "r.yaml", `{name: a, steps: [{handler: exec, rules: [{use: mine.yaml}]}, {handler: exec, name: b, rules: mine.yaml}]}`)
	r, err := recipe.Load(path)
	testkit.Must(t, err)
	again, err := recipe.Parse("stored", []byte(r.YAML()))
	testkit.Must(t, err)
	if again.Digest() != r.Digest() || again.YAML() != r.YAML() {
		t.Errorf("reads differently the second time:\n%s", r.YAML())
	}
	f := &tasks.File{Path: "/q/i.html"}
	for _, step := range again.Steps {
		args, err := step.Args(f, nil)
		testkit.Must(t, err)
		object, _ := args.(map[string]any)
		if joined(object["command"]) != `a <i.html> & 'x' ${no}` || object["x"] != 1.5 || step.Rules[0].From != "mine.yaml" {
			t.Errorf("%v", args)
		}
	}
	testkit.Must(t, os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte(strings.Replace(own, "1.5", "1.6", 1)), 0o600))
	changed, err := recipe.Load(path)
	testkit.Must(t, err)
	if changed.Digest() == r.Digest() || changed.Steps[0].ArgsDigest() == r.Steps[0].ArgsDigest() {
		t.Error("other rules have the same digest")
	}
	if _, err := recipe.Parse("sent.yaml", []byte("name: a\nsteps: [{handler: exec, rules: ./mine.yaml}]")); err == nil ||
		!strings.Contains(err.Error(), `sent.yaml:2: rules: "./mine.yaml" is a file, and only a recipe that is read from a file may name one`) {
		t.Errorf("a text that was sent reads files: %v", err)
	}
}

func TestErrorsInARulesFileNameIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mine := testkit.WriteFileIn(t, dir, "mine.yaml", "rules:\n  - {name: a, puid: jpeg}\n  - {name: a, mime: image}\n  - {nam: b}\n")
	path := testkit.WriteFileIn(t, dir, "r.yaml", "name: a\nsteps:\n  - handler: exec\n    rules: mine.yaml\n  - {handler: b, with: [1], rules: [{name: c, with: {d: 1}}]}\n")
	_, err := recipe.Load(path)
	want := path + `:5: rules need a "with" of keys and values in the step, because a rule's "with" is merged into it
` + mine + `:2: puid "jpeg" must be a PRONOM identifier such as fmt/43 or x-fmt/111, or UNKNOWN
` + mine + `:3: mime "image" must be a type such as image/png, or image/* for all images
` + mine + `:3: another rule before it is called "a"; give it a name of its own
` + mine + `:4: rule: unknown key "nam"; did you mean "name"?
` + mine + `:4: rule 3 has no name; give it one, as in "name: images"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestCheckOfRules(t *testing.T) {
	t.Parallel()
	catalog := recipe.Catalog{
		Step: func(string) (recipe.HandlerInfo, bool) {
			return recipe.HandlerInfo{
				Facts: func(any) []string { return []string{"puid", "width"} },
				CheckArgs: func(args any) error {
					if object, _ := args.(map[string]any); object["bad"] != nil {
						return errors.New("bad is not known")
					}
					return nil
				},
			}, true
		},
		Finalizer: func(string) (recipe.HandlerInfo, bool) { return recipe.HandlerInfo{}, false },
	}
	for rules, want := range map[string]string{
		`[{name: a, when: facts.widht > 1}]`:                                                `rule a: "when facts.widht > 1" reads the fact "widht", which no step before it records; did you mean "width"?`,
		`[{name: a, mime: image/*}]`:                                                        `rule a: "mime image/*" reads the fact "mime", which no step before it records; they record puid, width`,
		`[{name: a, with: {bad: 1}}]`:                                                       `step two: rule a: with: bad is not known`,
		`[{name: a}, {name: b, ext: c}]`:                                                    `step two: rule b never applies, because a before it matches the same files; move it up, or remove it`,
		`[{name: a, ext: [x, y]}, {name: b, ext: x, when: size > 1}]`:                       `rule b never applies`,
		`[{name: a, puid: fmt/1}, {name: b, puid: fmt/2}, {name: c, puid: [fmt/2, fmt/1]}]`: `rule c never applies`,
		`[{name: a, min_size: 5}, {name: b, min_size: 7, max_size: 9}]`:                     `rule b never applies`,
		`[{name: a, when: size > 1}, {name: b, when: size > 1, ext: x}]`:                    `rule b never applies`,
		`[{name: a, max_size: 5}, {name: b, min_size: 5}]`:                                  ``,
		`[{name: a, ext: x, when: size > 1}, {name: b, ext: x}]`:                            ``,
		`[{name: a, puid: fmt/1}, {name: b, puid: [fmt/2, fmt/1]}, {name: c}]`:              ``,
	} {
		err := parse(t, "name: a\nsteps: [{handler: one}, {handler: h, name: two, rules: "+rules+"}]").Check(catalog)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s:\ngot  %v\nwant %s", rules, err, want)
		}
	}
}

func TestBuiltinRules(t *testing.T) {
	t.Parallel()
	for _, name := range recipe.BuiltinRules() {
		r := parse(t, "name: a\nsteps: [{handler: identify}, {handler: exec, rules: '"+name+"'}]")
		again, err := recipe.Parse("stored", []byte(r.YAML()))
		testkit.Must(t, err)
		if again.Digest() != r.Digest() || len(r.YAML()) > 30_000 {
			t.Errorf("%s: %d bytes", name, len(r.YAML()))
		}
	}
	_, err := recipe.Parse("a.yaml", []byte("name: a\nsteps: [{handler: exec, rules: 'builtin:charcterize'}]"))
	if err == nil || !strings.Contains(err.Error(), `a.yaml:2: rules: no rules are called "builtin:charcterize"; did you mean "builtin:characterize"?`) {
		t.Errorf("got %v", err)
	}
}
