package scan

import (
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// pattern is a pattern with the syntax of gitignore
// (https://git-scm.com/docs/gitignore#_pattern_format), as a glob of doublestar.
type pattern struct {
	glob    string
	negated bool // it reverses an earlier pattern
	folders bool // it matches folders only
}

// parsePattern parses one pattern. It knows no comments: # begins a name.
func parsePattern(text string) (p pattern, err error) {
	if err := checkText(text); err != nil {
		return p, fmt.Errorf("the pattern %q %w", text, err)
	}
	rest := withoutTrailingBlanks(text)
	rest, p.negated = strings.CutPrefix(rest, "!")
	rest, p.folders = strings.CutSuffix(rest, "/")
	if rest == "" {
		return p, fmt.Errorf("the pattern %q matches nothing", text)
	}
	rooted := strings.Contains(rest, "/")
	p.glob = escapeBraces(strings.TrimPrefix(rest, "/"))
	if !rooted {
		p.glob = "**/" + p.glob // at every depth
	}
	if strings.HasSuffix(p.glob, "/**") {
		p.glob += "/*" // what is in the folder, not the folder
	}
	if !doublestar.ValidatePattern(p.glob) {
		return p, fmt.Errorf("the pattern %q is invalid: it has a [ without ], or ends in a \\", text)
	}
	return p, nil
}

func (p *pattern) matches(path string, folder bool) bool {
	if p.folders && !folder {
		return false
	}
	matched, _ := doublestar.Match(p.glob, path) // the glob is valid
	return matched
}

// withoutTrailingBlanks drops blanks at the end that no backslash precedes.
func withoutTrailingBlanks(s string) string {
	for strings.HasSuffix(s, " ") && !strings.HasSuffix(s, `\ `) {
		s = s[:len(s)-1]
	}
	return s
}

// escapeBraces escapes characters that are special to doublestar but not to gitignore.
func escapeBraces(glob string) string {
	var b strings.Builder
	escaped, class := false, false
	for _, c := range []byte(glob) {
		if (c == '{' || c == '}') && !escaped && !class {
			b.WriteByte('\\')
		}
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '[':
			class = true
		case c == ']':
			class = false
		}
		b.WriteByte(c)
	}
	return b.String()
}
