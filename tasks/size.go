package tasks

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. It is written without or with a unit: 65536, 64KiB,
// 1.5 GiB, or 64kB, which is 64,000. In JSON it is a number or such a text, so that it
// can be a field of a handler's arguments.
type Size int64

// ParseSize reads a size. Case and a space before the unit make no difference.
func ParseSize(s string) (Size, error) {
	at := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	if at < 0 {
		at = len(s)
	}
	unit, known := unitSize(strings.ToLower(strings.TrimSpace(s[at:])))
	n, ok := times(strings.TrimSpace(s[:at]), unit)
	if !known || !ok {
		return 0, fmt.Errorf("%q is not a size; write it as 256MiB, 64KiB or a number of bytes", s)
	}
	return Size(n), nil
}

// unitSize is the number of bytes of a unit in lower case.
func unitSize(unit string) (int64, bool) {
	letters, base := strings.TrimSuffix(unit, "b"), int64(1000)
	if binary, ok := strings.CutSuffix(letters, "i"); ok {
		letters, base = binary, 1024
		if letters == "" {
			return 0, false
		}
	}
	size := int64(1)
	for _, prefix := range []string{"", "k", "m", "g", "t", "p"} {
		if letters == prefix {
			return size, true
		}
		size *= base
	}
	return 0, false
}

// times multiplies a number in digits by a unit. It is not ok when that is no
// number, or more than an int64 holds.
func times(digits string, unit int64) (int64, bool) {
	if n, err := strconv.ParseInt(digits, 10, 64); err == nil {
		return n * unit, n <= math.MaxInt64/max(unit, 1)
	}
	f, err := strconv.ParseFloat(digits, 64)
	product := f * float64(unit)
	return int64(product), err == nil && product < math.MaxInt64
}

// UnmarshalJSON reads a number of bytes or a text with a unit.
func (s *Size) UnmarshalJSON(b []byte) error {
	if b[0] != '"' {
		if json.Unmarshal(b, (*int64)(s)) != nil { // a negative number is accepted: the caller checks the range
			return fmt.Errorf("%s is not a size; write it as 256MiB, 64KiB or a number of bytes", b)
		}
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	n, err := ParseSize(text)
	if err == nil {
		*s = n
	}
	return err
}

// String writes the size exactly, in the largest unit that divides it.
func (s Size) String() string {
	units := []string{"", "KiB", "MiB", "GiB", "TiB"}
	n, unit := int64(s), 0
	for n != 0 && n%1024 == 0 && unit < len(units)-1 {
		n /= 1024
		unit++
	}
	return strconv.FormatInt(n, 10) + units[unit]
}
