package recipe

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// template is a string that contains "${ expression }". "$${" is a literal "${".
type template struct {
	source string
	parts  []part
}

// part is either text or an expression.
type part struct {
	text string
	expr *expression
}

func parseTemplate(source string, known any) (*template, error) {
	t := &template{source: source}
	for rest := source; rest != ""; {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			t.addText(rest)
			break
		}
		if strings.HasSuffix(before, "$") {
			t.addText(before + "{")
			rest = after
			continue
		}
		t.addText(before)
		end := closingBrace(after)
		if end < 0 {
			return nil, fmt.Errorf("%q: ${ without its }; write $${ for a literal ${", source)
		}
		e, err := compileValue(after[:end], known)
		if err != nil {
			return nil, fmt.Errorf("${%s}: %w", after[:end], err)
		}
		t.parts = append(t.parts, part{expr: e})
		rest = after[end+1:]
	}
	return t, nil
}

func (t *template) addText(s string) {
	if s != "" {
		t.parts = append(t.parts, part{text: s})
	}
}

// closingBrace returns the index of the brace that ends the expression at the start
// of s, or -1. Braces in strings and pairs of braces do not count.
func closingBrace(s string) int {
	depth := 0
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\' && quote != '`':
			i++ // an escaped character does not end the string
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
		}
	}
	return -1
}

// reads returns the names of the facts that the template reads.
func (t *template) reads() (names []string) {
	for _, p := range t.parts {
		if p.expr != nil {
			names = append(names, p.expr.reads...)
		}
	}
	return names
}

func (t *template) readsFacts() bool {
	for _, p := range t.parts {
		if p.expr != nil && p.expr.facts {
			return true
		}
	}
	return false
}

// render returns the expression's value when the template is one expression and
// nothing else, and otherwise a string.
func (t *template) render(v any) (any, error) {
	if len(t.parts) == 1 && t.parts[0].expr != nil {
		out, err := t.parts[0].expr.eval(v)
		if err != nil {
			return nil, err
		}
		return plain(out)
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		s, err := p.expr.text(v)
		if err != nil {
			return nil, fmt.Errorf("${%s}: %w", p.expr.source, err)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// MarshalJSON returns the source, for a recipe's digest.
func (t *template) MarshalJSON() ([]byte, error) { return json.Marshal(t.source) }

// text formats the value for use inside a longer string. Nil is an error, because
// an incomplete argument, such as a file name, does harm.
func (e *expression) text(v any) (string, error) {
	out, err := e.eval(v)
	if err != nil {
		return "", err
	}
	value, err := plain(out)
	if err != nil {
		return "", err
	}
	switch value := value.(type) {
	case nil:
		return "", errors.New(`is nil; give a default with ?? "…"`)
	case string:
		return value, nil
	case int:
		return strconv.Itoa(value), nil
	}
	b, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	return string(b), nil
}

// plain turns an expression's result into a JSON value that shares nothing with the
// facts: nil, bool, int, float64, string, []any or map[string]any.
func plain(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int, string:
		return v, nil
	case int64:
		return int(v), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil, fmt.Errorf("is %v, which is not a JSON value", v)
		}
		return v, nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	case time.Duration:
		return v.String(), nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("is not a JSON value: %w", err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("is not a JSON value: %w", err)
	}
	return out, nil
}
