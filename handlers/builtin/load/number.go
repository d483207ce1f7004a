package load

import (
	"bytes"
	"math"
	"strconv"
)

// digits is a JSON number as its significant digits d1 d2 …, without zeros at either
// end, and the position of the point: the number is 0.d1d2… times ten to the power point.
type digits struct {
	significant []byte
	point       int
}

// maxExponent limits exponents: no column holds numbers with so many digits.
const maxExponent = 1 << 20

// digitsOf reads a number that the scanner has accepted, without its sign.
func digitsOf(raw []byte) digits {
	mantissa, exponent := bytes.TrimPrefix(raw, []byte{'-'}), 0
	if i := bytes.IndexAny(mantissa, "eE"); i >= 0 {
		exponent = exponentOf(mantissa[i+1:])
		mantissa = mantissa[:i]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte{'.'})
	all := append(bytes.Clone(whole), fraction...)
	significant := bytes.TrimLeft(all, "0")
	d := digits{bytes.TrimRight(significant, "0"), len(whole) - (len(all) - len(significant)) + exponent}
	if len(d.significant) == 0 {
		return digits{}
	}
	return d
}

func exponentOf(text []byte) int {
	n, err := strconv.Atoi(string(text))
	switch {
	case err == nil && n >= -maxExponent && n <= maxExponent:
		return n
	case text[0] == '-':
		return -maxExponent
	}
	return maxExponent
}

// decimals is the number of digits after the point.
func (d digits) decimals() int { return max(0, len(d.significant)-d.point) }

// whole is the number of digits before the point.
func (d digits) whole() int { return max(0, d.point) }

// isPlain reports whether a number is written without an exponent.
func isPlain(raw []byte) bool { return !bytes.ContainsAny(raw, "eE") }

// mostDigits is the largest number of significant digits that a floating-point number has
// when it is written in full.
const mostDigits = 767

// keepsDigits reports whether a number keeps every digit in floating point of so many
// bits. It is false for a number out of range.
func keepsDigits(raw []byte, bits int) bool {
	if bits != 32 && len(raw) <= 15 && isPlain(raw) {
		return true
	}
	d := digitsOf(raw)
	n := len(d.significant)
	if n == 0 {
		return true
	}
	if isPlain(raw) {
		n = max(n, d.point) // zeros before the point are digits, too
	}
	f, err := strconv.ParseFloat(string(raw), bits)
	if err != nil || n > mostDigits {
		return false
	}
	f = math.Abs(f)
	sure, smallest := 15, 1e-300 // every number that is not close to zero keeps so many digits
	if bits == 32 {
		sure, smallest = 6, 1e-37
	}
	if n <= sure && f > smallest {
		return true
	}
	// Beside a power of two, the shortest text of a number, which writers of JSON choose, may
	// differ in its last digit from the number rounded to as many digits.
	return d.equal(digitsOf(strconv.AppendFloat(nil, f, 'e', n-1, 64))) ||
		!isPlain(raw) && d.equal(digitsOf(strconv.AppendFloat(nil, f, 'e', -1, bits)))
}

func (d digits) equal(other digits) bool {
	return d.point == other.point && bytes.Equal(d.significant, other.significant)
}
