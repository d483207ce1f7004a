package load

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/balerhq/baler/internal/tableload"
)

// timeDecimals is how many digits of a second a time keeps.
const timeDecimals = 6

// putTime adds a time: text in the format of RFC 3339, also with a blank between date and
// time, and without an offset for UTC; or a number of seconds since 1970.
func (m *mapper) putTime(rows *tableload.RowBuffer, c *tableload.Column, v value) error {
	var t time.Time
	var decimals int
	var err error
	switch v.form {
	case number:
		t, decimals, err = unixTime(v.raw)
	case text:
		if m.text, err = unescape(m.text[:0], v.raw[1:len(v.raw)-1]); err == nil {
			t, decimals, err = parseTime(string(m.text))
		}
	default:
		return mismatch(v, "a time")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", shown(v.raw), err)
	}
	keeps := timeDecimals
	if c.Decimals >= 0 {
		keeps = min(keeps, c.Decimals)
	}
	if decimals > keeps {
		return fmt.Errorf("%s has more digits of a second than the %d that the column keeps", shown(v.raw), keeps)
	}
	if t = t.UTC(); t.Year() < 1000 || t.Year() > 9999 {
		return fmt.Errorf("%s is out of the range of dates, the years 1000 to 9999", shown(v.raw))
	}
	if c.Kind == tableload.ColumnDate && t.Truncate(24*time.Hour) != t {
		return fmt.Errorf("%s has a time of day, and the column keeps dates only", shown(v.raw))
	}
	rows.AddTime(t)
	return nil
}

// parseTime parses a time. It also returns how many digits of a second the text has,
// without trailing zeros.
func parseTime(s string) (t time.Time, decimals int, err error) {
	if len(s) > len(time.DateOnly) && s[len(time.DateOnly)] == ' ' {
		s = s[:len(time.DateOnly)] + "T" + s[len(time.DateOnly)+1:]
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err = time.Parse(layout, s); err == nil {
			return t, secondDecimals(s), nil
		}
	}
	return time.Time{}, 0, errors.New("not a time such as 2006-01-02T15:04:05Z")
}

// secondDecimals counts the digits of a second in the text, because a time.Time has at
// most nine.
func secondDecimals(s string) int {
	i := strings.IndexAny(s, ".,")
	if i < 0 {
		return 0
	}
	fraction := s[i+1:]
	if end := strings.IndexFunc(fraction, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		fraction = fraction[:end]
	}
	return len(strings.TrimRight(fraction, "0"))
}

// unixTime reads a number of seconds, without a float.
func unixTime(raw []byte) (t time.Time, decimals int, err error) {
	d := digitsOf(raw)
	const most = 12 // digits of the seconds until the year 9999
	if d.point > most {
		return time.Time{}, 0, errors.New("not a number of seconds since 1970")
	}
	if d.decimals() > timeDecimals {
		return time.Time{}, d.decimals(), nil
	}
	micros := string(d.significant) + strings.Repeat("0", d.point+timeDecimals-len(d.significant))
	n, err := strconv.ParseInt("0"+micros, 10, 64)
	if raw[0] == '-' {
		n = -n
	}
	return time.UnixMicro(n), d.decimals(), err
}

// isPlainTime reports whether a string is a time in UTC that a column of times keeps
// without losing a digit.
func isPlainTime(s string) bool {
	if len(s) <= len("2006-01-02") || s[4] != '-' {
		return false
	}
	t, decimals, err := parseTime(s)
	if err != nil || decimals > timeDecimals || t.Year() < 1000 {
		return false
	}
	_, offset := t.Zone()
	return offset == 0
}
