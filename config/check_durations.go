package config

import (
	"math"
	"time"
)

// commitTime is the time allowed for the last commit of a stopping worker.
const commitTime = time.Second

// durations checks durations that must fit into one another. It skips those that
// are not positive, which have an error of their own.
//
// Two may be longer than worker.grace: a handler's timeout, because unfinished
// batches are handed back; and a group's delay, because groups stay in the queue.
func (v *validation) durations(c Config) {
	stop := sum(c.Record.MaxDelay, commitTime)
	v.requiref(c.Worker.Grace >= stop || c.Worker.Grace <= 0, "worker.grace",
		"%s is too short: a finished result waits up to %s (record.max_delay) before it is written, and its commit takes up to %s; "+
			"%[2]s + %[3]s = %[4]s, so set %[4]s or more, or a shorter record.max_delay",
		c.Worker.Grace, c.Record.MaxDelay, commitTime, stop)

	// asynq checks its groups once per group.grace.
	grouped := sum(c.Group.MaxDelay, c.Group.Grace)
	v.requiref(c.Dispatch.Lag > grouped || c.Dispatch.Lag <= 0, "dispatch.lag",
		"%s is too short: a file waits in its group up to %s (group.max_delay), and up to %s (group.grace) until asynq checks the group; "+
			"%[2]s + %[3]s = %[4]s, and a waiting file would be sent again: set more than %[4]s",
		c.Dispatch.Lag, c.Group.MaxDelay, c.Group.Grace, grouped)

	v.requiref(c.Dispatch.Resend >= c.Dispatch.Interval || c.Dispatch.Resend <= 0, "dispatch.resend",
		"%s is shorter than the dispatcher's interval, %s (dispatch.interval); set %[2]s or more", c.Dispatch.Resend, c.Dispatch.Interval)
}

// sum adds two durations, and returns the longest possible one on overflow.
func sum(a, b time.Duration) time.Duration {
	if a > 0 && b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}
