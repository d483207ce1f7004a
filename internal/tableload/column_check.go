package tableload

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// timeOfDay matches text that MySQL reads unambiguously as a TIME.
var timeOfDay = regexp.MustCompile(`^-?\d{2,3}:\d\d:\d\d(\.(\d+))?$`)

// Check returns an error when MySQL would store another value than this text without an
// error: it rounds times of day, reads short years as recent ones, and reads numbers as
// positions in the list of an ENUM.
func (c *Column) Check(value []byte) error {
	switch c.declared {
	case "year":
		if n, err := strconv.Atoi(string(value)); err != nil || n != 0 && n < 1901 {
			return fmt.Errorf("%s is not a year from 1901 on", value)
		}
	case "time":
		m := timeOfDay.FindSubmatch(value)
		if m == nil {
			return fmt.Errorf("%q is not a time of day such as 15:04:05", value)
		}
		if len(strings.TrimRight(string(m[2]), "0")) > c.Decimals {
			return fmt.Errorf("%q has more digits of a second than the %d that the column keeps", value, c.Decimals)
		}
	case "enum", "set":
		if _, err := strconv.Atoi(string(value)); err == nil && !strings.Contains(c.full, "'"+string(value)+"'") {
			return fmt.Errorf("%q is not one of %s", value, c.full)
		}
	}
	return nil
}
