package db

import "strings"

// ClipText cuts s to at most n bytes, at the end of a character, and replaces
// what is not UTF-8. A replacement character may make it a little longer.
func ClipText(s string, n int) string {
	if len(s) > n {
		s = s[:n]
		s = strings.ToValidUTF8(s, "")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
