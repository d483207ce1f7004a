package baler

import (
	"testing"
	"time"

	"github.com/balerhq/baler/tasks"
)

func TestWaitPollsWhenItShouldBeDone(t *testing.T) {
	begun := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	after := func(ms int64) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }
	for _, c := range []struct {
		name     string
		last     progressPoll
		sealed   bool
		finished int64 // of 1000
		now      time.Time
		want     time.Duration
	}{
		{"first poll", progressPoll{}, true, 0, after(0), pollSoonest},
		{"nothing done, soon again", progressPoll{after(0), 10}, true, 10, after(20), 40 * time.Millisecond},
		{"nothing done for long", progressPoll{after(0), 10}, true, 10, after(200), pollLatest},
		{"far from done", progressPoll{after(0), 0}, true, 10, after(20), pollLatest},
		{"nearly done", progressPoll{after(0), 600}, true, 800, after(100), 100 * time.Millisecond},
		{"about to be done", progressPoll{after(0), 0}, true, 999, after(200), pollSoonest},
		{"more may come", progressPoll{after(0), 600}, false, 800, after(100), 200 * time.Millisecond},
		{"moved back by a retry", progressPoll{after(0), 900}, true, 800, after(50), 100 * time.Millisecond},
		{"an outage, where nothing was read", progressPoll{after(0), 900}, true, 0, after(200), pollLatest},
	} {
		tr := tasks.Transfer{Files: 1000, Finished: c.finished}
		if c.sealed {
			tr.SealedAt = begun
		}
		if got := c.last.next(&tr, c.now); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
