package recipe

import (
	"math"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/balerhq/baler/tasks"
)

// text reads a string.
func (c *diagnostics) text(f field) (string, bool) {
	switch n := f.value.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	hint := ""
	switch f.value.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		hint = "; put it in quotes"
	}
	c.addf(f.line, "%s must be text, not %s%s", f.name, kind(f.value), hint)
	return "", false
}

// word reads a name that is used in commands, addresses and metrics. It returns
// "", and adds an error, when the value is not such a name.
func (c *diagnostics) word(f field) string {
	s, ok := c.text(f)
	if !ok {
		return ""
	}
	if !c.isWord(f.line, f.name, s) {
		return ""
	}
	return s
}

// isWord reports whether s is a word. If not, it adds an error about what s is.
func (c *diagnostics) isWord(line int, what, s string) bool {
	if isWord(s) {
		return true
	}
	c.addf(line, "%s %q must be 1 to %d of a-z, 0-9, _ and -, and begin with a letter or digit", what, s, maxWord)
	return false
}

const maxWord = 64

func isWord(s string) bool {
	for i, r := range s {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
		case i > 0 && (r == '_' || r == '-'):
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxWord
}

// yes reads true or false.
func (c *diagnostics) yes(f field) bool {
	n, ok := f.value.(*ast.BoolNode)
	if !ok {
		c.addf(f.line, "%s must be true or false, not %s", f.name, kind(f.value))
		return false
	}
	return n.Value
}

// duration reads a duration such as 250ms, 10m, 1h30m or 2d, above zero.
func (c *diagnostics) duration(f field) time.Duration { return c.durationUpTo(f, maxDuration) }

func (c *diagnostics) durationUpTo(f field, most time.Duration) time.Duration {
	if n, ok := f.value.(*ast.IntegerNode); ok {
		c.addf(f.line, "%s needs a unit: write %vs for seconds, or ms, m, h, d", f.name, n.Value)
		return 0
	}
	s, ok := c.text(f)
	if !ok {
		return 0
	}
	d, err := tasks.ParseDuration(s)
	if err != nil {
		c.addf(f.line, "%s %v", f.name, err)
		return 0
	}
	if d <= 0 || d > most {
		c.addf(f.line, "%s %s must be more than 0 and at most %s", f.name, s, tasks.FormatDuration(most))
		return 0
	}
	return d
}

const maxDuration = 30 * 24 * time.Hour

// size reads a number of bytes, plain or as 256MiB, above zero.
func (c *diagnostics) size(f field) int64 {
	var s string
	switch n := f.value.(type) {
	case *ast.IntegerNode:
		s = n.Token.Value
	case *ast.StringNode:
		s = n.Value
	default:
		c.addf(f.line, "%s must be a size such as 256MiB, not %s", f.name, kind(f.value))
		return 0
	}
	n, err := tasks.ParseSize(s)
	if err != nil || n < 1 {
		c.addf(f.line, "%s %q is not a size above 0; write it as 256MiB, 64KiB or a number of bytes", f.name, s)
		return 0
	}
	return int64(n)
}

// stopAfter reads a share of failures such as 5%, or their number.
func (c *diagnostics) stopAfter(f field) tasks.StopAfter {
	text := ""
	switch n := f.value.(type) {
	case *ast.IntegerNode:
		text = n.Token.Value
	case *ast.StringNode:
		text = n.Value
	}
	limit, err := tasks.ParseStopAfter(text)
	if err != nil || limit == (tasks.StopAfter{}) {
		c.addf(f.line, "%s must be a share of failures above 0%% and below 100%%, such as 5%%, or their number, such as 100", f.name)
		return tasks.StopAfter{}
	}
	return limit
}

// count reads a whole number from 1 to most.
func (c *diagnostics) count(f field, most int) int {
	node, ok := f.value.(*ast.IntegerNode)
	if !ok {
		c.addf(f.line, "%s must be a whole number such as 3, without a fraction or quotes", f.name)
		return 0
	}
	n, ok := integer(node)
	if !ok || n < 1 || n > most {
		c.addf(f.line, "%s %v must be from 1 to %d", f.name, node.Value, most)
		return 0
	}
	return n
}

// integer is ok when the number fits.
func integer(n *ast.IntegerNode) (int, bool) {
	switch i := n.Value.(type) {
	case int64:
		return int(i), true
	case uint64:
		return int(i), i <= math.MaxInt64
	}
	return 0, false
}
