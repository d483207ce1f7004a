package recipe

import (
	"strconv"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// expandSizes replaces sizes with units, such as 4GiB, by their numbers of bytes: the
// expression language has no units. Strings and comments stay as they are.
func expandSizes(source string) string {
	var b strings.Builder
	for i := 0; i < len(source); {
		n := tokenLength(source[i:])
		token := source[i : i+n]
		if size, ok := sizeToken(token); ok && (i == 0 || source[i-1] != '.') {
			token = strconv.FormatInt(int64(size), 10)
		}
		b.WriteString(token)
		i += n
	}
	return b.String()
}

// sizeToken reads a number with a unit. A number without a unit is not a size.
func sizeToken(token string) (tasks.Size, bool) {
	last := token[len(token)-1]
	if !isDigit(token[0]) || isDigit(last) || last == '.' {
		return 0, false
	}
	size, err := tasks.ParseSize(token)
	return size, err == nil
}

// tokenLength is the length of the string, comment, word or number that s begins
// with, or 1.
func tokenLength(s string) int {
	switch {
	case s[0] == '"' || s[0] == '\'' || s[0] == '`':
		return quotedLength(s)
	case strings.HasPrefix(s, "//"):
		return lengthTo(s, "\n")
	case strings.HasPrefix(s, "/*"):
		return lengthTo(s, "*/")
	}
	n := 0
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '.' && isDigit(s[0])) {
		n++
	}
	return max(n, 1)
}

// quotedLength is the length of the string literal that s begins with.
func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++ // an escaped character does not end the string
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}

func lengthTo(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isLetter reports whether a byte continues a word. Bytes of non-ASCII characters do.
func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '$' || c >= 0x80
}
