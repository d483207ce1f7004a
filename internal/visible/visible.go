// Package visible makes text from elsewhere safe to show.
package visible

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text returns text from elsewhere with escapes in place of what would not be seen, or
// would change how the text around it is shown: control characters, marks that turn the
// direction of writing, and bytes that are not UTF-8.
func Text(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, Unseen) {
		return s
	}
	var out strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			out.WriteString(`\x` + fmt.Sprintf("%02x", s[0]))
		case Unseen(r):
			out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		default:
			out.WriteRune(r)
		}
		s = s[size:]
	}
	return out.String()
}

// Lines is Text for text of several lines.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Text(strings.ReplaceAll(line, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// Unseen reports whether Text replaces a character.
func Unseen(r rune) bool { return !strconv.IsPrint(r) }
