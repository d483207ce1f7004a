package recipe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// New makes a recipe of one step, which applies a handler to every file. The step's name
// is the handler's. split is the size in bytes of the chunks that files of lines are split
// into; 0 leaves files whole. with has the arguments as JSON values
// without fractions; "${" in them is text and not a template. New checks what Parse checks, and returns Errors.
func New(name string, split int64, handler string, with map[string]any) (*Recipe, error) {
	c := &diagnostics{file: name}
	for _, w := range []struct{ what, word string }{{"name", name}, {"handler", handler}} {
		c.isWord(1, w.what, w.word)
	}
	if split != 0 {
		c.splitSize(1, split)
	}
	s := &Step{Number: 1, Name: handler, Handler: handler, OnFailure: Stop, line: 1, with: arguments{known: variables{}, file: name, line: 1}}
	if len(with) > 0 {
		s.with.value = c.fixed(&s.with, with, maxDepth)
	}
	r := &Recipe{Name: name, Split: split, Steps: []*Step{s}, file: name, facts: []bool{false}}
	if err := c.err(); err != nil {
		return nil, err
	}
	r.source = r.plainText()
	if len(r.source) > maxSource {
		c.addf(1, tooLong, len(r.source), maxSource)
		return nil, c.err()
	}
	return r, nil
}

// fixed copies a JSON value, in which strings are text and not templates.
func (c *diagnostics) fixed(a *arguments, value any, depth int) any {
	if depth == 0 {
		c.addf(1, tooDeep, maxDepth)
		return nil
	}
	switch v := value.(type) {
	case nil, bool, int:
		return v
	case string:
		if !utf8.ValidString(v) {
			c.addf(1, "with: %q is not UTF-8 text", v)
		}
		return c.string(a, strings.ReplaceAll(v, "${", "$${"), 1)
	case []string:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = c.fixed(a, item, depth-1)
		}
		return list
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = c.fixed(a, item, depth-1)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for key, item := range v {
			object[key] = c.fixed(a, item, depth-1)
		}
		return object
	}
	c.addf(1, "with cannot hold a %T", value)
	return nil
}

// plainText writes a recipe of New as JSON, which is YAML, for Parse.
func (r *Recipe) plainText() string {
	type step struct {
		Handler string `json:"handler"`
		With    any    `json:"with"`
	}
	type chunks struct {
		Lines int64 `json:"lines"`
	}
	document := struct {
		Name  string  `json:"name"`
		Split *chunks `json:"split,omitempty"`
		Steps []step  `json:"steps"`
	}{Name: r.Name, Steps: []step{{r.Steps[0].Handler, r.Steps[0].with.value}}}
	if r.Split > 0 {
		document.Split = &chunks{r.Split}
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(document); err != nil { // fixed accepts only JSON values
		panic(fmt.Sprintf("encode recipe %s: %v", r.Name, err))
	}
	return text.String()
}
