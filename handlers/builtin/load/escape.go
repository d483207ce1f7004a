package load

import (
	"bytes"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// escapeLen is the length of the escape at the start of b, or 0 if there is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hexadecimal(b); ok {
			return 6
		}
	}
	return 0
}

// hexadecimal reads the digits of "\uXXXX" at the start of b.
func hexadecimal(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

var errHalf = errors.New("holds half of a surrogate pair, which is not a character")

// unescape appends the text of a string that the scanner has accepted, given
// without its quotes.
func unescape(to, raw []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(raw, '\\')
		if i < 0 {
			return append(to, raw...), nil
		}
		to = append(to, raw[:i]...)
		raw = raw[i:]
		n := 2
		switch c := raw[1]; c {
		case 'b':
			to = append(to, '\b')
		case 'f':
			to = append(to, '\f')
		case 'n':
			to = append(to, '\n')
		case 'r':
			to = append(to, '\r')
		case 't':
			to = append(to, '\t')
		case 'u':
			r, _ := hexadecimal(raw) // valid, because the scanner has accepted it
			n = 6
			if utf16.IsSurrogate(r) {
				low, _ := hexadecimal(raw[6:])
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					return to, errHalf
				}
				n = 12
			}
			to = utf8.AppendRune(to, r)
		default:
			to = append(to, c)
		}
		raw = raw[n:]
	}
}
