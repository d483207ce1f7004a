package tasks

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// ParseDuration reads a time as people write it in recipes, settings, flags and requests: what
// time.ParseDuration reads, and days of 24 hours before that, as in 2d, 1.5d or 1d12h.
func ParseDuration(text string) (time.Duration, error) {
	number, rest, hasDays := strings.Cut(text, "d")
	if !hasDays {
		if d, err := time.ParseDuration(text); err == nil {
			return d, nil
		}
		return 0, notDuration(text)
	}
	whole, ok := ofDays(number)
	if !ok {
		return 0, notDuration(text)
	}
	if rest == "" {
		return whole, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || strings.ContainsAny(rest[:1], "+-") {
		return 0, notDuration(text)
	}
	if strings.HasPrefix(number, "-") {
		d = -d
	}
	if sum := whole + d; (sum < whole) == (d < 0) {
		return sum, nil
	}
	return 0, notDuration(text)
}

// ofDays is a number of days, which may have decimals, as a time: the nearest nanosecond, so that
// 0.57d is 13h40m48s.
func ofDays(number string) (d time.Duration, ok bool) {
	const most = int64(math.MaxInt64 / day)
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return time.Duration(n) * day, -most <= n && n <= most
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Trim(number, "+-.0123456789") != "" || math.Abs(n) >= float64(most) {
		return 0, false
	}
	whole := math.Trunc(n)
	_, decimals, _ := strings.Cut(number, ".")
	part, err := strconv.ParseFloat("0."+decimals, 64) // n itself has fewer digits of it
	d = time.Duration(math.Round(part * float64(day)))
	if strings.HasPrefix(number, "-") {
		d = -d
	}
	return time.Duration(whole)*day + d, err == nil
}

func notDuration(text string) error {
	return fmt.Errorf("%.80q is not a duration; write it as 250ms, 10m, 1h30m or 2d", text)
}

// FormatDuration writes a time as ParseDuration reads it, whole days as such.
func FormatDuration(d time.Duration) string {
	if d != 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	return d.String()
}
