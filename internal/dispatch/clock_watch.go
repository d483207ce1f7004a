package dispatch

import (
	"context"
	"time"
)

// clockWatch detects when somebody sets the clock of the times in the database. It compares
// that clock with the monotonic clock of this process. The zero value has made no
// comparison yet.
type clockWatch struct{ clock, monotonic time.Time }

// clockSet is the smallest change between two comparisons that counts as setting the clock.
// Smaller changes are normal: NTP slows clocks down or speeds them up.
const clockSet = 5 * time.Second

// clockChange says by how much the clock was set, forward or back, and between which times
// of the clock as it was before.
type clockChange struct {
	by           time.Duration
	since, until time.Time
}

// look returns the change since the last call; by is 0 without one.
func (w *clockWatch) look(clock, monotonic time.Time) (c clockChange) {
	clock = clock.Round(0) // without its own monotonic reading
	last := *w
	w.clock, w.monotonic = clock, monotonic
	if last.monotonic.IsZero() {
		return c
	}
	until := last.clock.Add(monotonic.Sub(last.monotonic))
	if by := clock.Sub(until); by.Abs() >= clockSet {
		c = clockChange{by: by, since: last.clock, until: until}
	}
	return c
}

// lookAtClock notes that the clock was set. Tasks that this dispatcher has planned for a
// time of that clock become due now.
func (d *Dispatcher) lookAtClock() {
	if c := d.clock.look(d.opts.Now(), time.Now()); c.by != 0 {
		d.clockChanges = append(d.clockChanges, c)
		d.renewAt, d.tickAt, d.repairAt = time.Time{}, time.Time{}, time.Time{}
	}
}

// noteClockChanges corrects the durations of the transfers that ran when the clock was
// set. Only the leader does.
func (d *Dispatcher) noteClockChanges(ctx context.Context) error {
	for len(d.clockChanges) > 0 {
		c := d.clockChanges[0]
		if err := d.store.NoteClockSet(ctx, c.by, c.since, c.until); err != nil {
			return err
		}
		d.opts.Log.WarnContext(ctx, "the clock of the database was set", "by", c.by.Round(time.Second))
		d.clockChanges = d.clockChanges[1:]
	}
	return nil
}
