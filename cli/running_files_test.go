package cli

import (
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestRunningSummary(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	one := tasks.RunningFile{
		Path: "/in/a.zip", Step: "extract", StartedAt: now.Add(-192 * time.Second),
		Progress: tasks.Progress{Items: 45_120, OfItems: 100_000, Unit: "members", Bytes: 3 << 20, OfBytes: 7 << 20},
	}
	for want, files := range map[string][]tasks.RunningFile{
		"": nil,
		"/in/a.zip, at step extract for 3m12s: 45,120 of 100,000 members, 3.0 MiB of 7.0 MiB":                  {one},
		"/in/a.zip, at step extract for 3m12s: 45,120 of 100,000 members, 3.0 MiB of 7.0 MiB; and 1 more file": {one, one},
		"/in/b, at step exec for 0.0s": {{Path: "/in/b", Step: "exec", StartedAt: now.Add(time.Hour)}}, // the clock of another host
		"/in/c, at step x for 1.0s: 7 pages, 5 B": {{
			Path: "/in/c", Step: "x", StartedAt: now.Add(-time.Second), Progress: tasks.Progress{Items: 7, Unit: "pages", Bytes: 5},
		}},
	} {
		if got := runningSummary(files, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
