package report

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// visible returns text from elsewhere with escapes in place of what would not be seen, or
// would change how the text around it is shown: control characters, marks that turn the
// direction of writing, and bytes that are not UTF-8.
func visible(s string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, unseen) {
		return s
	}
	var out strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			out.WriteString(`\x` + strconv.FormatUint(uint64(s[0]), 16))
		case unseen(r):
			out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		default:
			out.WriteRune(r)
		}
		s = s[size:]
	}
	return out.String()
}

// visibleLines is visible for text of several lines.
func visibleLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = visible(strings.ReplaceAll(line, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

func unseen(r rune) bool { return !strconv.IsPrint(r) }
