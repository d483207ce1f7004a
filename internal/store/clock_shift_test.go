package store

import (
	"testing"
	"time"

	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

// A clock that is set by a day changes the duration of no transfer, however the clock went.
func TestDurationsWhenTheClockWasSet(t *testing.T) {
	each(t, func(t *testing.T, b *env) {
		since := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // the last look before the clock was set
		until := since.Add(time.Second)
		for _, by := range []time.Duration{24 * time.Hour, -24 * time.Hour} {
			transfers := make(map[string]int64)
			add := func(name string, created, ended time.Time) {
				transfers[name] = b.transfer(t, 1).ID
				var end *time.Time
				state := tasks.StateRunning
				if !ended.IsZero() {
					end, state = &ended, tasks.StateCompleted
				}
				testkit.Must(t, b.DB().Session(t.Context()).Exec("UPDATE transfers SET created_at = ?, ended_at = ?, state = ? WHERE id = ?",
					created, end, state, transfers[name]).Error)
			}
			set := until.Add(by) // the time at which it is noted
			add("running", since.Add(-9*time.Second), time.Time{})
			add("ended after it", since.Add(-9*time.Second), set)
			add("ended before", since.Add(-9*time.Second), since)
			add("created after it", set, time.Time{})
			testkit.Must(t, b.NoteClockSet(t.Context(), by, since, until))
			want := map[string]time.Duration{"running": 11 * time.Second, "ended after it": 10 * time.Second,
				"ended before": 9 * time.Second, "created after it": time.Second}
			for name, id := range transfers {
				tr := b.read(t, id)
				if s := tasks.Summarize(&tr, set.Add(time.Second)); s.Seconds != want[name].Seconds() {
					t.Errorf("set by %s, %s: %v seconds, want %v", by, name, s.Seconds, want[name].Seconds())
				}
			}
			id := transfers["ended before"]
			testkit.Must(t, b.SetClockShift(t.Context(), id, 4*time.Second))
			if tr := b.read(t, id); tr.ClockShift != 4*time.Second {
				t.Errorf("the shift is %s", tr.ClockShift)
			}
			testkit.Must(t, b.DB().Session(t.Context()).Exec("UPDATE transfers SET ended_at = created_at, state = ?", tasks.StateCanceled).Error)
		}
	})
}
