package recipe

import (
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/balerhq/baler/internal/suggest"
)

// field is one entry of a mapping.
type field struct {
	name  string
	line  int // of the key; of the mapping when the entry is missing
	value ast.Node
}

// fields are a mapping's entries by name.
type fields struct {
	line  int
	names map[string]field
}

// get returns an entry; ok is false when it is missing or null.
func (fs fields) get(name string) (field, bool) {
	f, ok := fs.names[name]
	if !ok || f.value.Type() == ast.NullType {
		return field{name: name, line: fs.line}, false
	}
	return f, true
}

// mapping reads a node as a mapping with the given keys. It adds an error for
// every other key. ok is false, and an error is added, when node is not a mapping.
func (c *diagnostics) mapping(what string, node ast.Node, line int, keys ...string) (_ fields, ok bool) {
	entries, ok := entriesOf(node)
	if !ok {
		c.addf(line, "%s must be a mapping with the keys %s, not %s", what, strings.Join(keys, ", "), kind(node))
		return fields{}, false
	}
	fs := fields{line: line, names: make(map[string]field, len(entries))}
	for _, entry := range entries {
		name, ok := c.key(entry.Key)
		if !ok {
			continue
		}
		f := field{name: name, line: lineOf(entry.Key), value: entry.Value}
		if !slices.Contains(keys, name) {
			c.unknownKey(f, what, keys)
			continue
		}
		fs.names[name] = f
	}
	return fs, true
}

func (c *diagnostics) unknownKey(f field, what string, keys []string) {
	near := suggest.Of(strings.ToLower(f.name), func(s string) bool { return slices.Contains(keys, s) })
	if near != "" {
		c.addf(f.line, "%s: unknown key %q; did you mean %q?", what, f.name, near)
		return
	}
	c.addf(f.line, "%s: unknown key %q; known are %s", what, f.name, strings.Join(keys, ", "))
}

// key reads a mapping's key, which must be a plain string.
func (c *diagnostics) key(node ast.MapKeyNode) (string, bool) {
	if s, ok := node.(*ast.StringNode); ok {
		return s.Value, true
	}
	c.addf(lineOf(node), "a key must be text, not %s", kind(node))
	return "", false
}

func entriesOf(node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// lineOf returns the line on which a node begins.
func lineOf(node ast.Node) int {
	if m, ok := node.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return lineOf(m.Values[0].Key)
	}
	if m, ok := node.(*ast.MappingValueNode); ok {
		return lineOf(m.Key)
	}
	if t := node.GetToken(); t != nil && t.Position != nil {
		return max(t.Position.Line, 1)
	}
	return 1
}

// kind names a node's kind in messages.
func kind(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	case *ast.InfinityNode, *ast.NanNode:
		return "a number without a value"
	case *ast.BoolNode:
		return "true or false"
	case *ast.NullNode:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias, which recipes do not have"
	case *ast.TagNode:
		return "a tag, which recipes do not have"
	}
	return "something else"
}
