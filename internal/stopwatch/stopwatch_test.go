package stopwatch

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/balerhq/baler/tasks"
)

// A clock that is set while a transfer runs does not change how long it took.
func TestStopwatchWhenTheClockIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := time.Duration(0)
		s := &Stopwatch{Now: func() time.Time { return time.Now().Add(set) }}
		tr := tasks.Transfer{UUID: "1", State: tasks.StateRunning, CreatedAt: s.Now()}
		s.Start(tr)
		want := func(what string, waiting bool, took time.Duration) {
			t.Helper()
			now := tr
			if s.Correct(&now, waiting); now.Took != took {
				t.Errorf("%s: %s, want %s", what, now.Took, took)
			}
		}
		time.Sleep(7 * time.Second)
		want("as it is", true, 0)
		set = 24 * time.Hour
		want("set forward", false, 7*time.Second)
		set = -24 * time.Hour
		want("set back", false, 7*time.Second)
		tr.State, tr.EndedAt = tasks.StateCompleted, s.Now()
		time.Sleep(100 * time.Millisecond)
		want("seen by a process that waits", true, 7100*time.Millisecond)
		time.Sleep(time.Hour)
		want("read later", false, 7100*time.Millisecond)

		other := tasks.Transfer{UUID: "2", State: tasks.StateCompleted, CreatedAt: s.Now()}
		s.Start(other)
		other.EndedAt = s.Now().Add(time.Second)
		time.Sleep(time.Hour)
		if s.Correct(&other, false); other.Took != 0 {
			t.Errorf("no process waited: it took %s", other.Took)
		}
		if s.Correct(&tasks.Transfer{UUID: "3"}, true); len(s.runs) != 2 {
			t.Error("it measures what another process began")
		}
	})
}
