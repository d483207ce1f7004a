package tableload

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// timeOfDay is how MySQL reads a TIME without guessing.
var timeOfDay = regexp.MustCompile(`^-?\d{2,3}:\d\d:\d\d(\.(\d+))?$`)

// Check reports why MySQL would put something else than this text into a column
// instead of refusing it: it rounds times of day, takes short years for recent ones,
// and numbers for the places of words in a list.
func (c *Column) Check(value []byte) error {
	switch c.declared {
	case "year":
		if n, err := strconv.Atoi(string(value)); err != nil || n != 0 && n < 1901 {
			return fmt.Errorf("%s is no year from 1901 on", value)
		}
	case "time":
		m := timeOfDay.FindSubmatch(value)
		if m == nil {
			return fmt.Errorf("%q is no time of day as 15:04:05", value)
		}
		if len(strings.TrimRight(string(m[2]), "0")) > c.Decimals {
			return fmt.Errorf("%q has more digits of a second than the %d that it keeps", value, c.Decimals)
		}
	case "enum", "set":
		if _, err := strconv.Atoi(string(value)); err == nil && !strings.Contains(c.full, "'"+string(value)+"'") {
			return fmt.Errorf("%q is none of %s", value, c.full)
		}
	}
	return nil
}
