package db

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// Literals is SQL text being written, for MySQL: values stand in it as
// Literals, escaped with backslashes. Each session is set up so that the
// server reads them thus, see session.
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

// Text appends text in quotes.
func (l Literals) Text(s string) Literals { return AppendText(l, s) }

// Binary writes bytes for a binary column. What would be no text of the session's
// character set must not be taken for any; what is needs no mark to keep its bytes.
func (l Literals) Binary(b []byte) Literals {
	if !utf8.Valid(b) {
		l = append(l, "_binary"...)
	}
	return AppendText(l, b)
}

// AppendText appends text in quotes, escaped.
func AppendText[S string | []byte](l Literals, s S) Literals {
	l = append(l, '\'')
	from := 0
	for i := range len(s) {
		if by := escapeOf(s[i]); by != 0 {
			l = append(append(l, s[from:i]...), '\\', by)
			from = i + 1
		}
	}
	return append(append(l, s[from:]...), '\'')
}

// escapeOf gives what stands for a byte behind a backslash, 0 for a byte that
// stands for itself. In UTF-8 no other character has one of these bytes in it.
// Double quotes and line ends, of which documents are full, need no escape
// between single quotes.
func escapeOf(c byte) byte {
	switch c {
	case 0:
		return '0'
	case '\'', '\\':
		return c
	}
	return 0
}
