package db

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

// clocks are two clocks that a test sets.
type clocks struct{ host, server time.Time }

func (c *clocks) pass(d time.Duration) {
	c.host, c.server = c.host.Add(d), c.server.Add(d)
}

func newClocks(ahead time.Duration) (*clocks, *clock) {
	at := time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)
	c := &clocks{host: at.Add(ahead), server: at}
	return c, &clock{host: func() time.Time { return c.host }, log: slog.New(slog.DiscardHandler)}
}

func (c *clocks) ask(context.Context) (time.Time, error) { return c.server, nil }

func TestClockFollowsTheServer(t *testing.T) {
	for _, ahead := range []time.Duration{-8 * time.Minute, -time.Second, time.Second, 8 * time.Minute} {
		c, k := newClocks(ahead)
		if !k.due() || !k.now().Equal(c.host) {
			t.Errorf("%s ahead: before it is measured it is %s", ahead, k.now())
		}
		k.measure(t.Context(), c.ask)
		c.pass(measureInterval)
		if !k.now().Equal(c.server) || k.due() {
			t.Errorf("%s ahead: it is %s, want %s", ahead, k.now(), c.server)
		}
		c.pass(time.Second)
		if !k.due() {
			t.Errorf("%s ahead: not measured again", ahead)
		}
		c.host = c.server // somebody sets the clock
		k.measure(t.Context(), c.ask)
		if c.pass(time.Second); !k.now().Equal(c.server) {
			t.Errorf("%s ahead, then right: it is %s, want %s", ahead, k.now(), c.server)
		}
	}
}

// A clock that is nearly right is left alone, for a measurement is no better.
func TestClockIsLeftAlone(t *testing.T) {
	c, k := newClocks(tolerance / 2)
	k.measure(t.Context(), c.ask)
	if !k.now().Equal(c.host) {
		t.Errorf("it is %s, want %s", k.now(), c.host)
	}
	far, k := newClocks(time.Hour)
	k.measure(t.Context(), func(context.Context) (time.Time, error) { return far.server, errors.New("away") })
	k.measure(t.Context(), func(context.Context) (time.Time, error) {
		far.pass(2 * slowAnswer)
		return far.server, nil
	})
	if !k.now().Equal(far.host) {
		t.Errorf("without a good answer it is %s, want %s", k.now(), far.host)
	}
}

// Setting the host's clock moves neither the time nor the measure of what has passed.
func TestClockThatIsSet(t *testing.T) {
	real := time.Now() // with a monotonic reading
	k := &clock{host: func() time.Time { return real }, log: slog.New(slog.DiscardHandler)}
	k.measure(t.Context(), func(context.Context) (time.Time, error) { return real.Add(-time.Hour), nil })
	if off := k.now().Sub(real); off != -time.Hour || k.due() {
		t.Errorf("it is %s off, due %v", off, k.due())
	}
	real = real.Round(0).Add(8 * time.Minute) // the wall clock alone
	if !k.due() {
		t.Error("a clock that was set is not measured again")
	}
}
