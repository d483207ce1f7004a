package schedule_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/balerhq/baler/internal/schedule"
	"github.com/balerhq/baler/internal/testkit"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, s)
	testkit.Must(t, err)
	return moment
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, cron, zone, from string
		want                   []string
	}{
		{"every night", "30 2 * * *", "UTC", "2026-11-27T02:30:00Z", []string{"2026-11-28T02:30:00Z", "2026-11-29T02:30:00Z"}},
		{"no zone is UTC", "@daily", "", "2026-11-27T02:30:00Z", []string{"2026-11-28T00:00:00Z"}},
		{"in its zone", "30 2 * * *", "Asia/Kolkata", "2026-11-27T00:00:00Z", []string{"2026-11-27T21:00:00Z"}},
		{"on weekdays", "0 9 * * mon-fri", "America/New_York", "2026-11-27T15:00:00Z", []string{"2026-11-30T14:00:00Z"}},
		{"in leap years", "0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", []string{"2028-02-29T00:00:00Z"}},
		{"an interval of days", "@every 1d12h", "UTC", "2026-03-29T00:00:00Z", []string{"2026-03-30T12:00:00Z", "2026-04-01T00:00:00Z"}},
		{"an interval", "@every 6h", "Europe/Berlin", "2026-03-29T00:00:00Z", []string{"2026-03-29T06:00:00Z", "2026-03-29T12:00:00Z"}},
		// Berlin, 29 March 2026: 02:00 is 03:00. 25 October 2026: 03:00 is 02:00 again.
		{"a skipped hour", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"}},
		{"beside a skipped hour", "0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", []string{"2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"}},
		{"a repeated hour", "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		{"within the repetition", "30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", []string{"2026-10-26T01:30:00Z"}},
		{"after a repeated hour", "30 3 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", []string{"2026-10-25T02:30:00Z"}},
		{"all hours, one skipped", "15 * * * *", "Europe/Berlin", "2026-03-29T00:20:00Z", []string{"2026-03-29T01:15:00Z", "2026-03-29T02:15:00Z"}},
		{"all hours, one twice", "15 * * * *", "Europe/Berlin", "2026-10-24T23:20:00Z", []string{"2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z", "2026-10-25T02:15:00Z"}},
		{"hourly, one twice", "@hourly", "Europe/Berlin", "2026-10-24T23:20:00Z", []string{"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"}},
		// In Havana and Cairo midnight itself is skipped or repeated.
		{"a skipped midnight", "@daily", "America/Havana", "2026-03-07T12:00:00Z", []string{"2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"}},
		{"a repeated midnight", "@daily", "America/Havana", "2026-10-31T12:00:00Z", []string{"2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"}},
		{"half an hour", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", []string{"2026-10-03T15:45:00Z", "2026-10-04T15:15:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, err := schedule.Parse(c.cron, c.zone)
			testkit.Must(t, err)
			now := at(t, c.from)
			for _, want := range c.want {
				if now = e.Next(now); !now.Equal(at(t, want)) {
					t.Fatalf("%s, want %s", now.Format(time.RFC3339), want)
				}
			}
		})
	}
}

// Whatever the clocks do, time goes on, and every night is there once.
func TestEveryNightComesOnce(t *testing.T) {
	t.Parallel()
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		hour, minute := rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute")
		e, err := schedule.Parse(strings.Join([]string{itoa(minute), itoa(hour), "* * *"}, " "), zone)
		if err != nil {
			t.Fatal(err)
		}
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2015, time.January, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 11*365*24*3600).Draw(t, "from")) * time.Second)
		day := -1
		for range 400 {
			next := e.Next(now)
			if !next.After(now) || next.Sub(now) > 26*time.Hour {
				t.Fatalf("%s follows %s", next, now)
			}
			local := next.In(place)
			if local.YearDay() == day {
				t.Fatalf("%s and %s are one day", now.In(place), local)
			}
			// What somebody asks in between changes nothing.
			if half := now.Add(next.Sub(now) / 2); !e.Next(half).Equal(next) {
				t.Fatalf("after %s comes %s, after %s in between %s", now, next, half, e.Next(half))
			}
			now, day = next, local.YearDay()
		}
	})
}

func itoa(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }

func TestExpressionsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ cron, zone, want string }{
		{"", "UTC", "is not a cron expression"}, {"* * * *", "UTC", "is not a cron expression"}, {"60 2 * * *", "UTC", "is not a cron expression"},
		{"30 2 * * * *", "UTC", "is not a cron expression"}, {"@never", "UTC", "is not a cron expression"}, {"\xff", "UTC", "is not a cron expression"},
		{"0 0 30 2 *", "UTC", "never comes"}, {"0 0 31 4,6 *", "Europe/Berlin", "never comes"},
		{"@daily", "Mars/Olympus", "is not a time zone"}, {"@daily", "../../etc/passwd", "is not a time zone"}, {"@daily", "Local", "is not a time zone"},
		{"CRON_TZ=Asia/Tokyo 0 0 * * *", "UTC", "give the time zone on its own"}, {"TZ=", "UTC", "give the time zone on its own"},
	} {
		if _, err := schedule.Parse(c.cron, c.zone); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q in %q: %v", c.cron, c.zone, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("30 2 * * *", "UTC")
	f.Add("@every 1ns", "Europe/Berlin")
	f.Fuzz(func(t *testing.T, cron, zone string) {
		e, err := schedule.Parse(cron, zone)
		if err != nil {
			return
		}
		now := time.Date(2026, time.March, 29, 0, 30, 0, 0, time.UTC)
		for range 5 {
			next := e.Next(now)
			if !next.IsZero() && !next.After(now) {
				t.Fatalf("%q in %q: %s follows %s", cron, zone, next, now)
			}
			if next.IsZero() {
				return
			}
			now = next
		}
	})
}
