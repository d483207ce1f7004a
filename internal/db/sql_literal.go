package db

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Literals is SQL text being written, for MySQL: values stand in it as literals.
// The server reads them the same in every character set and every sql_mode.
type Literals []byte

// Number appends a number.
func (l Literals) Number(n int64) Literals { return strconv.AppendInt(l, n, 10) }

// Null appends NULL.
func (l Literals) Null() Literals { return append(l, "NULL"...) }

// Bool appends 1 or 0.
func (l Literals) Bool(set bool) Literals {
	if set {
		return append(l, '1')
	}
	return append(l, '0')
}

// Time writes a time in UTC, to the microsecond. Reading a layout for each
// took a twentieth of a busy worker's time.
func (l Literals) Time(t time.Time) Literals {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	l = append(l, '\'').digits(year, 4)
	l = append(l, '-').digits(int(month), 2)
	l = append(l, '-').digits(day, 2)
	l = append(l, ' ').digits(hour, 2)
	l = append(l, ':').digits(minute, 2)
	l = append(l, ':').digits(second, 2)
	l = append(l, '.').digits(t.Nanosecond()/1000, 6)
	return append(l, '\'')
}

// TimeNumber writes a time in UTC, to the microsecond, as the number of its
// digits: 20261121153000.000000. It goes into a DATETIME column with less work
// for the server than text does. A number of fewer digits would be read as a
// year of two.
func (l Literals) TimeNumber(t time.Time) Literals {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 1000 {
		return l.Time(t)
	}
	hour, minute, second := t.Clock()
	l = l.digits(year, 4).digits(int(month), 2).digits(day, 2)
	l = l.digits(hour, 2).digits(minute, 2).digits(second, 2)
	return append(l, '.').digits(t.Nanosecond()/1000, 6)
}

// digits writes a number of that many digits, from 1 to 6.
func (l Literals) digits(n, width int) Literals {
	var d [6]byte
	for i := width - 1; i >= 0; i-- {
		d[i] = byte('0' + n%10)
		n /= 10
	}
	return append(l, d[:width]...)
}

// Text appends text.
func (l Literals) Text(s string) Literals { return AppendText(l, s) }

// Binary appends bytes for a binary column. They are in hexadecimal, also when they are
// plain text: the server asks for the character set of a text, and spends a tenth of the
// time for a row of a file on that.
func (l Literals) Binary(b []byte) Literals { return appendHex(l, b) }

// introducer says of the bytes behind it that they are text.
const introducer = "_utf8mb4 "

// AppendText appends text: plain text in quotes, other text by its bytes. The server
// rejects bytes that are not UTF-8.
func AppendText[S string | []byte](l Literals, s S) Literals {
	if isPlain(s) {
		return appendQuoted(l, s)
	}
	return appendHex(append(l, introducer...), s)
}

// isPlain reports whether a server reads the quoted text as it stands, whatever it
// takes for the session's character set and sql_mode: in some character sets, a
// byte above 0x7F and a backslash or a quote are one character, and in some modes
// a backslash is no escape.
func isPlain[S string | []byte](s S) bool {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c == '\\' || c == 0 {
			return false
		}
	}
	return true
}

// appendQuoted appends plain text in quotes.
func appendQuoted[S string | []byte](l Literals, s S) Literals {
	l = append(l, '\'')
	from := 0
	for i := range len(s) {
		if s[i] == '\'' {
			l = append(append(l, s[from:i]...), '\'', '\'')
			from = i + 1
		}
	}
	return append(append(l, s[from:]...), '\'')
}

// appendHex appends bytes in hexadecimal.
func appendHex[S string | []byte](l Literals, s S) Literals {
	const digits = "0123456789abcdef"
	l = append(slices.Grow(l, 2*len(s)+len("x''")), 'x', '\'')
	for i := range len(s) {
		l = append(l, digits[s[i]>>4], digits[s[i]&0xf])
	}
	return append(l, '\'')
}
