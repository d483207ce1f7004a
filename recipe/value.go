package recipe

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxDepth limits how deep lists and mappings nest in "with"; tooDeep is the message.
const (
	maxDepth = 32
	tooDeep  = "with: nested more than %d deep"
)

// arguments reads a "with" and compiles its templates over the given variables.
func (c *diagnostics) arguments(f field, known any) arguments {
	a := arguments{known: known, file: c.file, line: f.line}
	a.value = c.value(&a, f.value, f.line, maxDepth)
	return a
}

// value reads any JSON value. The line is that of the nearest key.
func (c *diagnostics) value(a *arguments, node ast.Node, line, depth int) any {
	if depth == 0 {
		c.addf(line, tooDeep, maxDepth)
		return nil
	}
	switch n := node.(type) {
	case *ast.NullNode:
		return nil
	case *ast.BoolNode:
		return n.Value
	case *ast.FloatNode:
		return n.Value
	case *ast.IntegerNode:
		i, ok := integer(n)
		if !ok {
			c.addf(lineOf(n), "with: number %v is too large; put it in quotes", n.Value)
		}
		return i
	case *ast.StringNode:
		return c.string(a, n.Value, lineOf(n))
	case *ast.LiteralNode:
		return c.string(a, n.Value.Value, lineOf(n))
	case *ast.SequenceNode:
		list := make([]any, len(n.Values))
		for i, item := range n.Values {
			list[i] = c.value(a, item, lineOf(item), depth-1)
		}
		return list
	case *ast.MappingNode, *ast.MappingValueNode:
		entries, _ := entriesOf(node) // both are mappings
		object := make(map[string]any, len(entries))
		for _, entry := range entries {
			if key, ok := c.argumentKey(entry.Key); ok {
				object[key] = c.value(a, entry.Value, lineOf(entry.Key), depth-1)
			}
		}
		return object
	}
	c.addf(line, "with cannot hold %s", kind(node))
	return nil
}

// argumentKey reads a key of "with". A number stands for its text: exit codes are such keys.
func (c *diagnostics) argumentKey(node ast.MapKeyNode) (string, bool) {
	if n, ok := node.(*ast.IntegerNode); ok {
		return n.GetToken().Value, true
	}
	return c.key(node)
}

// string reads text, which may be a template.
func (c *diagnostics) string(a *arguments, s string, line int) any {
	if !strings.Contains(s, "${") {
		return s
	}
	t, err := parseTemplate(s, a.known)
	if err != nil {
		c.addf(line, "with: %v", err)
		return nil
	}
	a.rendered = true
	a.facts = a.facts || t.readsFacts()
	for _, fact := range t.reads() {
		a.reads = append(a.reads, factRead{fact: fact, part: "with", source: s, line: line, file: c.file})
	}
	return t
}
