package handlers

import (
	"strings"
	"unicode/utf8"
)

// clean reports whether s can be recorded as it is: valid UTF-8 without NUL,
// which some databases refuse in text.
func clean(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// appendClean appends p with U+FFFD in place of every NUL and of every byte
// that is not part of a valid sequence.
func appendClean(dst, p []byte) []byte {
	for len(p) > 0 {
		r, n := utf8.DecodeRune(p)
		if r == 0 || r == utf8.RuneError {
			r = utf8.RuneError
		}
		dst = utf8.AppendRune(dst, r)
		p = p[n:]
	}
	return dst
}

// unfinished is how many bytes at the end of p may be the beginning of a
// character whose rest is still to come: none to three.
func unfinished(p []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
		tail := p[len(p)-i:]
		if utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return i
		}
	}
	return 0
}
