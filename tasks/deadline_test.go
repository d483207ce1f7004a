package tasks

import (
	"errors"
	"testing"
	"time"
)

func TestParseDeadline(t *testing.T) {
	day := 24 * time.Hour
	for text, want := range map[string]Deadline{
		"": {}, "none": {}, "90m": {After: 90 * time.Minute}, "2d": {After: 2 * day},
		"2026-05-01T06:00:00+02:00": {At: time.Date(2026, 5, 1, 4, 0, 0, 0, time.UTC)},
	} {
		got, err := ParseDeadline(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
		if again, err := ParseDeadline(got.String()); err != nil || again != got {
			t.Errorf("%q becomes %q, and that %+v, %v", text, got, again, err)
		}
	}
	for _, bad := range []string{"6", "-1h", "0s", "0d", "-2d", "tomorrow", "2026-05-01", "2026-05-01T06:00:00", "99999d", "1000000h"} {
		if got, err := ParseDeadline(bad); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
	if CheckRelativeDeadline("6h") != nil || CheckRelativeDeadline("2026-05-01T06:00:00Z") == nil {
		t.Error("only a time from now is relative")
	}
}

func TestDeadlineFrom(t *testing.T) {
	now := time.Date(2026, 5, 1, 4, 0, 0, 0, time.UTC)
	if at, err := (Deadline{After: time.Hour}).From(now); err != nil || !at.Equal(now.Add(time.Hour)) {
		t.Errorf("got %v, %v", at, err)
	}
	if at, err := (Deadline{}).From(now); err != nil || !at.IsZero() {
		t.Errorf("got %v, %v", at, err)
	}
	if _, err := (Deadline{At: now}).From(now); !errors.Is(err, ErrDeadlinePassed) {
		t.Errorf("got %v", err)
	}
}

func TestParseLimitBounds(t *testing.T) {
	for text, want := range map[string]Limit{
		"2": {InFlight: 2}, "50/s": {FilesPerSecond: 50}, "0.5/s": {FilesPerSecond: 0.5}, "1/host": {PerHost: 1},
		"2, 50/s,1/host": {InFlight: 2, FilesPerSecond: 50, PerHost: 1},
	} {
		got, err := ParseLimitBounds(text)
		if err != nil || got != want {
			t.Errorf("%q is %+v, %v", text, got, err)
		}
		if again, err := ParseLimitBounds(got.Bounds()); err != nil || again != got {
			t.Errorf("%q becomes %q, and that %+v, %v", text, got.Bounds(), again, err)
		}
	}
	for _, bad := range []string{"", "0", "-1", "1.5", "2,3", "2/", "2/m", "1.5/host", "many", "1/s,2/s", "NaN", "1e99"} {
		if got, err := ParseLimitBounds(bad); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
	for _, bad := range []string{"", "GPU", "a b", "-gpu", "gpu-", "a/b"} {
		if CheckLimitName(bad) == nil {
			t.Errorf("%q is a name", bad)
		}
	}
}
