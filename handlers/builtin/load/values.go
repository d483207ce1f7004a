package load

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/balerhq/baler/internal/tableload"
)

// putInt adds a whole number. "5.0" is one; "5e0" is not taken for one.
func putInt(rows *tableload.RowBuffer, c *tableload.Column, v value) error {
	if v.form != number {
		return mismatch(v, "a whole number")
	}
	digits, fraction, _ := bytes.Cut(v.raw, []byte{'.'})
	if len(bytes.Trim(fraction, "0")) > 0 || bytes.ContainsAny(v.raw, "eE") {
		return mismatch(v, "a whole number")
	}
	if !fits(digits, c.Unsigned) {
		return fmt.Errorf("%s is out of the range of 64-bit integers", shown(v.raw))
	}
	rows.AddNumber(digits, false)
	return nil
}

// fits reports whether digits are a 64-bit integer.
func fits(digits []byte, unsigned bool) bool {
	if len(digits) < len("1000000000000000000") {
		return true
	}
	_, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil && unsigned {
		_, err = strconv.ParseUint(string(digits), 10, 64)
	}
	return err == nil
}

func putFloat(rows *tableload.RowBuffer, v value) error {
	if v.form != number {
		return mismatch(v, "a number")
	}
	if _, err := strconv.ParseFloat(string(v.raw), 64); err != nil {
		return fmt.Errorf("%s is out of the range of 64-bit floating point", shown(v.raw))
	}
	rows.AddNumber(v.raw, true)
	return nil
}

// putDecimal adds a number without losing a digit.
func putDecimal(rows *tableload.RowBuffer, c *tableload.Column, v value) error {
	if v.form != number {
		return mismatch(v, "a number")
	}
	whole, fraction, _ := bytes.Cut(bytes.TrimPrefix(v.raw, []byte{'-'}), []byte{'.'})
	if bytes.ContainsAny(v.raw, "eE") {
		return mismatch(v, "a number without an exponent")
	}
	fraction = bytes.TrimRight(fraction, "0")
	digits := len(bytes.TrimLeft(whole, "0")) + len(fraction)
	if c.Decimals >= 0 && len(fraction) > c.Decimals {
		return fmt.Errorf("%s has more than the %d decimals that it keeps", shown(v.raw), c.Decimals)
	}
	const most = 65 // of a literal on MySQL
	if keeps := c.Digits; digits > most || keeps > 0 && digits > keeps {
		return fmt.Errorf("%s has more digits than it keeps", shown(v.raw))
	}
	rows.AddDecimal(v.raw)
	return nil
}

// putBool adds true or false, or a number, because databases keep booleans as small
// numbers.
func putBool(rows *tableload.RowBuffer, c *tableload.Column, v value) error {
	switch v.form {
	case boolean:
		rows.AddBool(v.raw[0] == 't')
		return nil
	case number:
		return putInt(rows, c, v)
	default:
		return mismatch(v, "true or false")
	}
}

// putTime adds a time: text as in RFC 3339, also with a blank between date and time
// and without an offset for UTC, or a number of seconds since 1970.
func (m *mapper) putTime(rows *tableload.RowBuffer, v value) error {
	var t time.Time
	var err error
	switch v.form {
	case number:
		t, err = unixTime(v.raw)
	case text:
		if m.text, err = unescape(m.text[:0], v.raw[1:len(v.raw)-1]); err == nil {
			t, err = parseTime(string(m.text))
		}
	default:
		return mismatch(v, "a time")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", shown(v.raw), err)
	}
	if t = t.UTC(); t.Year() < 1000 || t.Year() > 9999 {
		return fmt.Errorf("%s is out of the range of dates, which is the years 1000 to 9999", shown(v.raw))
	}
	rows.AddTime(t)
	return nil
}

func parseTime(s string) (time.Time, error) {
	if len(s) > len(time.DateOnly) && s[len(time.DateOnly)] == ' ' {
		s = s[:len(time.DateOnly)] + "T" + s[len(time.DateOnly)+1:]
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("no time as 2006-01-02T15:04:05Z")
}

// unixTime reads a number of seconds with up to six decimals, without a float.
func unixTime(raw []byte) (time.Time, error) {
	whole, fraction, _ := bytes.Cut(raw, []byte{'.'})
	seconds, err := strconv.ParseInt(string(whole), 10, 64)
	if err != nil || seconds > math.MaxInt32*1000 || seconds < -math.MaxInt32*1000 {
		return time.Time{}, errors.New("no number of seconds since 1970")
	}
	padded := append(bytes.Clone(fraction), "000000"...)[:6]
	micros, err := strconv.ParseInt(string(padded), 10, 64)
	if err != nil {
		return time.Time{}, errors.New("no number of seconds since 1970")
	}
	if raw[0] == '-' {
		micros = -micros
	}
	return time.Unix(seconds, micros*int64(time.Microsecond)), nil
}

// putText adds text, and numbers and booleans as they are written.
func (m *mapper) putText(rows *tableload.RowBuffer, c *tableload.Column, v value) error {
	plain := v.raw
	switch v.form {
	case text:
		plain = v.raw[1 : len(v.raw)-1]
		if bytes.IndexByte(plain, '\\') >= 0 {
			var err error
			if m.text, err = unescape(m.text[:0], plain); err != nil {
				return fmt.Errorf("%s %w", shown(v.raw), err)
			}
			plain = m.text
		}
	case number, boolean:
	default:
		return mismatch(v, "text")
	}
	if c.Bytes > 0 && len(plain) > c.Bytes {
		return fmt.Errorf("%d bytes are longer than the %d that it holds", len(plain), c.Bytes)
	}
	if c.Chars > 0 && len(plain) > c.Chars {
		if n := utf8.RuneCount(plain); n > c.Chars {
			return fmt.Errorf("%d characters are longer than the %d that it holds", n, c.Chars)
		}
	}
	rows.AddText(plain)
	return nil
}
