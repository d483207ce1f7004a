package tasks

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"250ms": 250 * time.Millisecond, "1h30m": 90 * time.Minute, "0": 0, "2d": 2 * day, "1d12h": 36 * time.Hour, "1.5d": 36 * time.Hour,
		"-2d": -2 * day, "-1d12h": -36 * time.Hour, "0d": 0, "1d1ns": day + 1, "106751d": 106751 * day, "0.5d30m": 12*time.Hour + 30*time.Minute,
		"0.57d": 13*time.Hour + 40*time.Minute + 48*time.Second, "-.5d": -12 * time.Hour, "2.d": 2 * day, "+1.13d": day + 3*time.Hour + 7*time.Minute + 12*time.Second,
		"365.69d": 365*day + 16*time.Hour + 33*time.Minute + 36*time.Second, "-365.69d": -365*day - 16*time.Hour - 33*time.Minute - 36*time.Second,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
	for _, bad := range []string{
		"", "d", "2", "soon", "2 d", "2d ", "1h2d", "1d2d", "1d-1h", "1d+1h", "infd", "nand", "1e3d", "0x1d", "1_0d", "106752d", "106751d24h", "-106752d",
		"99999999999999999999d", "106751.5d", ".d", "1.2.3d", "--1.5d", "1.-5d", "2w", "2D",
	} {
		if got, err := ParseDuration(bad); err == nil {
			t.Errorf("%q is %s", bad, got)
		}
	}
}

// What FormatDuration writes is read as the same time.
func TestDurationsAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(math.MinInt64+1, math.MaxInt64).Draw(t, "ns"))
		if rapid.Bool().Draw(t, "whole days") {
			d -= d % day
		}
		if got, err := ParseDuration(FormatDuration(d)); err != nil || got != d {
			t.Fatalf("%s is written %q and read %s, %v", d, FormatDuration(d), got, err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"2d", "1d12h", "-1.5d3ns", "d", "106751d23h47m16.854775807s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		if again, err := ParseDuration(FormatDuration(d)); err != nil || again != d {
			t.Errorf("%q is %s, and %q is %s, %v", text, d, FormatDuration(d), again, err)
		}
	})
}
