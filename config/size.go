package config

import (
	"fmt"
	"math"
	"strconv"

	"github.com/dustin/go-humanize"

	"github.com/balerhq/baler/internal/dsn"
)

// Size is a number of bytes. It is written without or with a unit: 65536, 64KiB,
// 1.5 GiB, or 64kB, which is 64,000.
type Size int64

// ParseSize reads a size.
func ParseSize(s string) (Size, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil || n > math.MaxInt64 {
		return 0, fmt.Errorf("%s is not a size; write it as 256MiB, 64KiB or a number of bytes", dsn.Quote(s))
	}
	return Size(n), nil
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
