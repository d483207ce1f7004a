package db

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// measureInterval is how often the difference to the server's clock is measured.
	measureInterval = 30 * time.Second

	// tolerance is how far the host's clock may be off without being corrected: about
	// what a measurement may be wrong by.
	tolerance = 500 * time.Millisecond

	// slowAnswer is after how long an answer says too little about the present.
	slowAnswer = 2 * time.Second
)

// clock gives the time of the database's server on this host. All processes compare the
// times that others have written, such as the end of a lease, and the clocks of their
// hosts may differ by minutes. Between two measurements it follows the host's monotonic
// clock, so that setting the host's clock changes nothing.
type clock struct {
	host func() time.Time
	log  *slog.Logger

	measuring sync.Mutex
	last      atomic.Pointer[measurement] // nil: the host's clock is taken as it is
}

// measurement is a moment by two clocks.
type measurement struct{ host, server time.Time }

func (c *clock) now() time.Time {
	host := c.host()
	m := c.last.Load()
	if m == nil {
		return host
	}
	return m.server.Add(host.Sub(m.host))
}

// due reports whether to measure again: time has passed, or the clock was set.
func (c *clock) due() bool {
	m := c.last.Load()
	if m == nil {
		return true
	}
	now := c.host()
	passed := now.Sub(m.host)
	set := now.Round(0).Sub(m.host.Round(0)) - passed // without and with the monotonic clock
	return passed > measureInterval || set.Abs() > tolerance
}

// measure asks the server for its time. After an error the last measurement stands.
func (c *clock) measure(ctx context.Context, ask func(context.Context) (time.Time, error)) {
	if !c.measuring.TryLock() {
		return // another goroutine measures
	}
	defer c.measuring.Unlock()
	sent := c.host()
	server, err := ask(ctx)
	took := c.host().Sub(sent)
	if err != nil || took > slowAnswer {
		return
	}
	host := sent.Add(took / 2)
	off := host.Sub(server)
	if off.Abs() < tolerance {
		server = host
	}
	m := &measurement{host: host, server: server}
	if old := c.last.Swap(m); off.Abs() >= tolerance && (old == nil || old.host.Sub(old.server).Abs() < tolerance) {
		c.log.WarnContext(ctx, "this host's clock differs from the database's, whose time is used; let all hosts keep time by NTP",
			"ahead", off.Round(time.Millisecond))
	}
}

// Now returns the time of the database's server; with SQLite, that of this host.
func (d *DB) Now() time.Time { return d.clock.now() }

// Stamp returns the present time of the database, truncated to the microseconds that it
// keeps.
func (d *DB) Stamp() time.Time { return d.Now().UTC().Truncate(time.Microsecond) }

// keepTime measures the server's clock when that is due.
func (d *DB) keepTime(ctx context.Context) {
	if d.followsServer && d.clock.due() {
		d.clock.measure(ctx, d.serverTime)
	}
}

func (d *DB) serverTime(ctx context.Context) (now time.Time, err error) {
	err = d.Session(ctx).Raw("SELECT UTC_TIMESTAMP(6)").Row().Scan(&now)
	return now.UTC(), err
}
