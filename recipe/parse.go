package recipe

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/balerhq/baler/tasks"
)

// Limits on a recipe. Its text is kept with every transfer, in a column that
// holds 64 KiB on every database.
const (
	maxSource      = 64_000 // bytes
	maxSteps       = 100
	maxDescription = 1000 // bytes
)

// tooLong is the message about a recipe above maxSource.
const tooLong = "the recipe is %d bytes long, the limit is %d"

// Parse parses a recipe. The file name is for messages only. For a bad recipe it
// returns all its Errors; for bad YAML, only the first syntax error.
func Parse(file string, source []byte) (*Recipe, error) {
	return parse(file, strings.TrimPrefix(string(source), "\ufeff"), ruleSets{})
}

// parse parses a recipe that may use sets of rules from elsewhere.
func parse(file, text string, sets ruleSets) (*Recipe, error) {
	c := &diagnostics{file: file, sets: sets}
	root, more := c.documents(text)
	if root == nil {
		return nil, c.err()
	}
	for _, node := range more {
		c.textSet(node)
	}
	r := &Recipe{file: file, source: text}
	c.recipe(r, root)
	if err := c.err(); err != nil {
		return nil, err
	}
	if len(c.sets.outside) > 0 {
		if !strings.HasSuffix(text, "\n") { // a text in its last line may change when a line follows
			return parse(file, text+"\n", sets)
		}
		r.source += c.sets.yaml()
		if len(r.source) > maxSource {
			c.addf(1, "the recipe is %d bytes long with its rules, the limit is %d", len(r.source), maxSource)
			return nil, c.err()
		}
	}
	r.facts = factsNeeded(r.Steps)
	return r, nil
}

// documents parses the YAML and returns the first document and those after it. On failure
// it adds an error and returns nil.
func (c *diagnostics) documents(text string) (root ast.Node, more []ast.Node) {
	if len(text) > maxSource {
		c.addf(1, tooLong, len(text), maxSource)
		return nil, nil
	}
	if i := unreadable(text); i >= 0 {
		c.addf(1+strings.Count(text[:i], "\n"), "not UTF-8 text")
		return nil, nil
	}
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		c.syntax(err)
		return nil, nil
	}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil || doc.Body.Type() == ast.DirectiveType:
		case root != nil:
			more = append(more, doc.Body)
		default:
			root = doc.Body
		}
	}
	if root == nil {
		c.addf(1, "the recipe is empty; it needs a name and steps")
	}
	return root, more
}

// unreadable returns the index of the first byte that is not UTF-8 text, or -1.
func unreadable(text string) int {
	for i, r := range text {
		if r == 0 {
			return i
		}
		if r == utf8.RuneError {
			if _, width := utf8.DecodeRuneInString(text[i:]); width == 1 {
				return i
			}
		}
	}
	return -1
}

func (c *diagnostics) syntax(err error) {
	line := 1
	message := err.Error()
	if ye, ok := errors.AsType[yaml.Error](err); ok {
		message = ye.GetMessage()
		if t := ye.GetToken(); t != nil && t.Position != nil {
			line = max(t.Position.Line, 1)
		}
	}
	c.addf(line, "not YAML: %s", message)
}

func (c *diagnostics) recipe(r *Recipe, root ast.Node) {
	fs, ok := c.mapping("recipe", root, lineOf(root), "name", "description", "split", "fixity", "stop_after", "deadline", "steps", "finally")
	if !ok {
		return
	}
	if f, ok := fs.get("name"); ok {
		r.Name = c.word(f)
	} else {
		c.addf(f.line, "the recipe has no name; give it one, as in \"name: photos\"")
	}
	if f, ok := fs.get("description"); ok {
		r.Description, _ = c.text(f)
		r.Description = strings.TrimSpace(r.Description)
		if len(r.Description) > maxDescription {
			c.addf(f.line, "description is %d bytes long, the limit is %d", len(r.Description), maxDescription)
		}
	}
	if f, ok := fs.get("split"); ok {
		r.Split = c.split(f)
	}
	if f, ok := fs.get("fixity"); ok {
		r.Fixity = c.yes(f)
		if r.Fixity && r.Split > 0 {
			c.addf(f.line, "fixity compares whole files; leave out split, or fixity")
		}
	}
	if f, ok := fs.get("stop_after"); ok {
		r.StopAfter = c.stopAfter(f)
	}
	if f, ok := fs.get("deadline"); ok {
		r.Deadline = c.durationUpTo(f, tasks.MaxDeadline)
	}
	f, ok := fs.get("steps")
	if !ok {
		c.addf(f.line, "the recipe has no steps; it needs at least one")
		return
	}
	r.Steps = c.steps(f)
	c.emitFrom(r.Steps)
	if r.Fixity {
		c.fixityReuse(r.Steps)
	}
	if r.Split > 0 && usesReuse(r.Steps) {
		c.addf(f.line, "reuse takes over results of whole files; leave out split, or reuse")
	}
	if f, ok := fs.get("finally"); ok {
		r.FinalSteps = c.finalSteps(f)
	}
}

// Limits on a chunk: smaller ones are mostly overhead, larger ones spread unevenly over workers.
const (
	minSplit = 4 << 10
	maxSplit = 1 << 30
)

// split reads "split: {lines: 8MiB}".
func (c *diagnostics) split(f field) int64 {
	fs, ok := c.mapping("split", f.value, f.line, "lines")
	if !ok {
		return 0
	}
	f, ok = fs.get("lines")
	if !ok {
		c.addf(f.line, "split must give the size of chunks; write it as \"split: {lines: 8MiB}\"")
		return 0
	}
	size := c.size(f)
	if size != 0 { // else an error was added already
		c.splitSize(f.line, size)
	}
	return size
}

func (c *diagnostics) splitSize(line int, size int64) {
	if size < minSplit || size > maxSplit {
		c.addf(line, "lines %d must be from 4KiB to 1GiB", size)
	}
}

func (c *diagnostics) steps(f field) []*Step {
	return listed(c, f, "step", c.step, func(s *Step) string { return s.Name })
}

// listed reads a list of entries with names, which must differ.
func listed[T any](c *diagnostics, f field, what string, read func(no int, node ast.Node) T, name func(T) string) []T {
	list, ok := f.value.(*ast.SequenceNode)
	if !ok {
		c.addf(f.line, "%s must be a list, not %s", f.name, kind(f.value))
		return nil
	}
	if n := len(list.Values); n < 1 || n > maxSteps {
		c.addf(f.line, "%d %ss; a recipe has 1 to %d", n, what, maxSteps)
		return nil
	}
	all := make([]T, len(list.Values))
	first := make(map[string]int)
	for i, node := range list.Values {
		no := i + 1
		all[i] = read(no, node)
		called := name(all[i])
		if called == "" { // an error was added already
			continue
		}
		if other, taken := first[called]; taken {
			c.addf(lineOf(node), "%s %d is called %q like %s %d; give it a name of its own", what, no, called, what, other)
			continue
		}
		first[called] = no
	}
	return all
}
