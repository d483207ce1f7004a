package web

import (
	"fmt"
	"time"
)

// moment is a time as pages show it.
type moment struct{ Words, Full, Stamp string }

// momentOf says how long ago a time was, or when, if that is a day ago. The clocks of the
// database and of this host may differ: what has just happened is not in the future.
func momentOf(at, now time.Time) moment {
	if at.IsZero() {
		return moment{}
	}
	at = at.UTC()
	m := moment{Full: at.Format("2 January 2006, 15:04:05") + " UTC", Stamp: at.Format("2006-01-02T15:04:05Z")}
	switch ago := now.Sub(at); {
	case ago < -time.Minute:
		m.Words = at.Format("2 Jan 2006, 15:04")
	case ago < 5*time.Second:
		m.Words = "just now"
	case ago < time.Minute:
		m.Words = fmt.Sprintf("%d s ago", ago/time.Second)
	case ago < time.Hour:
		m.Words = fmt.Sprintf("%d min ago", ago/time.Minute)
	case ago < 24*time.Hour:
		m.Words = fmt.Sprintf("%d h ago", ago/time.Hour)
	default:
		m.Words = at.Format("2 Jan 2006, 15:04")
	}
	return m
}

// forPeople rounds a duration to two units.
func forPeople(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "< 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}
