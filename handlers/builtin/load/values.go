package load

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/balerhq/baler/internal/tableload"
)

// putInt adds a whole number. It accepts 5.0, but not 5e0.
func putInt(rows *tableload.RowBuffer, c *tableload.Column, v value) error {
	if v.form != number {
		return mismatch(v, "a whole number")
	}
	digits, fraction, _ := bytes.Cut(v.raw, []byte{'.'})
	if len(bytes.Trim(fraction, "0")) > 0 || !isPlain(v.raw) {
		return mismatch(v, "a whole number")
	}
	if !fits(digits, c.Unsigned) {
		return fmt.Errorf("%s is out of the range of 64-bit integers", shown(v.raw))
	}
	if err := c.Check(digits); err != nil {
		return err
	}
	return putNumber(rows, c, digits)
}

// putNumber adds a number if the column keeps all of its digits.
func putNumber(rows *tableload.RowBuffer, c *tableload.Column, raw []byte) error {
	switch c.Kind {
	case tableload.ColumnText, tableload.ColumnJSON:
		rows.AddText(raw)
	case tableload.ColumnFloat:
		if !keepsDigits(raw, c.Bits) {
			return fmt.Errorf("%s has more digits than %d-bit floating point keeps", shown(raw), c.Bits)
		}
		rows.AddNumber(raw, true)
	default:
		rows.AddNumber(raw, false)
	}
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

// putFloat adds a number if floating point keeps every digit of it.
func putFloat(rows *tableload.RowBuffer, c *tableload.Column, v value) error {
	if v.form != number {
		return mismatch(v, "a number")
	}
	if _, err := strconv.ParseFloat(string(v.raw), 64); err != nil {
		return fmt.Errorf("%s is out of the range of 64-bit floating point", shown(v.raw))
	}
	if c.Decimals >= 0 && digitsOf(v.raw).decimals() > c.Decimals {
		return fmt.Errorf("%s has more than the %d decimals that the column keeps", shown(v.raw), c.Decimals)
	}
	return putNumber(rows, c, v.raw)
}

// putDecimal adds a number without losing a digit.
func putDecimal(rows *tableload.RowBuffer, c *tableload.Column, v value) error {
	if v.form != number {
		return mismatch(v, "a number")
	}
	if !isPlain(v.raw) {
		return mismatch(v, "a number without an exponent")
	}
	d := digitsOf(v.raw)
	if c.Decimals >= 0 && d.decimals() > c.Decimals {
		return fmt.Errorf("%s has more than the %d decimals that the column keeps", shown(v.raw), c.Decimals)
	}
	const most = 65 // of a literal on MySQL
	if n := d.whole() + d.decimals(); n > most || c.Digits > 0 && n > c.Digits {
		return fmt.Errorf("%s has more digits than the column keeps", shown(v.raw))
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
	if err := c.Check(plain); err != nil {
		return err
	}
	if c.Bytes > 0 && len(plain) > c.Bytes {
		return fmt.Errorf("%d bytes are more than the %d that the column holds", len(plain), c.Bytes)
	}
	if c.Chars > 0 && len(plain) > c.Chars {
		if n := utf8.RuneCount(plain); n > c.Chars {
			return fmt.Errorf("%d characters are more than the %d that the column holds", n, c.Chars)
		}
	}
	rows.AddText(plain)
	return nil
}

// numberIn converts a string that contains a number to that number.
func (m *mapper) numberIn(v value) value {
	raw := v.raw[1 : len(v.raw)-1]
	s := scanner{line: raw}
	if s.number() != nil || s.at < len(raw) {
		return v
	}
	return value{number, raw}
}
