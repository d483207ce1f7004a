package testkit

import (
	"sync"
	"time"
)

// Clock is a clock that moves when a test says so, for code that takes its time
// from a func() time.Time. Where timers are involved, testing/synctest is better.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at noon, UTC, of an ordinary day.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)}
}

// Now is the clock's time; the method value is what code under test takes.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on and returns its new time.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}
