package testkit

import (
	"sync"
	"time"
)

// Clock is a clock that a test moves, for code that reads the time from a
// func() time.Time. For code with timers testing/synctest is better.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at noon, UTC, of an ordinary day.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)}
}

// Now is the clock's time. Pass the method value to the code under test.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward and returns its new time.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}
