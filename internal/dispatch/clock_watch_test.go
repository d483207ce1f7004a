package dispatch

import (
	"errors"
	"testing"
	"time"
)

func TestClockWatch(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	monotonic := time.Now()
	for name, set := range map[string]time.Duration{"a day forward": 24 * time.Hour, "a day back": -24 * time.Hour, "five seconds": 5 * time.Second} {
		var w clockWatch
		if c := w.look(start, monotonic); c.by != 0 {
			t.Errorf("%s: the first call returns %+v", name, c)
		}
		if c := w.look(start.Add(time.Minute+4*time.Second), monotonic.Add(time.Minute)); c.by != 0 {
			t.Errorf("%s: a small adjustment counts as setting the clock: %+v", name, c)
		}
		since := start.Add(time.Minute + 4*time.Second)
		want := clockChange{by: set, since: since, until: since.Add(time.Second)}
		if c := w.look(since.Add(time.Second+set), monotonic.Add(time.Minute+time.Second)); c != want {
			t.Errorf("%s: %+v, want %+v", name, c, want)
		}
		if c := w.look(since.Add(2*time.Second+set), monotonic.Add(time.Minute+2*time.Second)); c.by != 0 {
			t.Errorf("%s: returned twice: %+v", name, c)
		}
	}
}

// The leader notes a change of the clock, also after an error. When the clock was set back,
// it continues at once.
func TestDispatcherWhenTheClockIsSet(t *testing.T) {
	f := newFake()
	d := newTestDispatcher(f, Options{})
	set := time.Duration(0)
	d.opts.Now = func() time.Time { return time.Now().Add(set) }
	step := func() error { _, err := d.Step(t.Context()); return err }
	if err := step(); err != nil {
		t.Fatal(err)
	}
	renewals := f.calls["AcquireLease"]
	set = -24 * time.Hour
	f.fail["NoteClockSet"] = 1
	if err := step(); err == nil {
		t.Error("the error is not returned")
	}
	if err := errors.Join(step(), step()); err != nil {
		t.Error(err)
	}
	if len(f.clockChanges) != 1 || (f.clockChanges[0].by-set).Abs() > time.Second {
		t.Errorf("noted %+v, want once %s", f.clockChanges, set)
	}
	if f.calls["AcquireLease"] == renewals || d.tickAt.After(d.opts.Now().Add(time.Hour)) {
		t.Error("it waits for a time of the old clock")
	}
}
