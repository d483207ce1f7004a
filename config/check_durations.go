package config

import (
	"math"
	"time"
)

// commitTime is what the last commit of a worker that stops is allowed.
const commitTime = time.Second

// durations checks times that have to fit into one another. A time that is no
// time at all has been complained of by itself.
//
// Some need not fit: a handler's timeout may be longer than worker.grace, for
// what has not ended by then is handed back; and a group's delay may, for
// groups stay in the queue.
func (v *validation) durations(c Config) {
	stop := sum(c.Record.MaxDelay, commitTime)
	v.requiref(c.Worker.Grace >= stop || c.Worker.Grace <= 0, "worker.grace",
		"%s is too short: a finished result waits up to %s (record.max_delay) before it is written, and its commit takes up to %s; "+
			"%[2]s + %[3]s = %[4]s, so set %[4]s or more, or a shorter record.max_delay",
		c.Worker.Grace, c.Record.MaxDelay, commitTime, stop)

	// asynq looks at its groups once in every group.grace.
	grouped := sum(c.Group.MaxDelay, c.Group.Grace)
	v.requiref(c.Dispatch.Lag > grouped || c.Dispatch.Lag <= 0, "dispatch.lag",
		"%s is too short: a file waits in its group up to %s (group.max_delay), and up to %s (group.grace) until the group is looked at; "+
			"%[2]s + %[3]s = %[4]s, and a file that only waits would be sent again: set more than %[4]s",
		c.Dispatch.Lag, c.Group.MaxDelay, c.Group.Grace, grouped)

	v.requiref(c.Dispatch.Resend >= c.Dispatch.Interval || c.Dispatch.Resend <= 0, "dispatch.resend",
		"%s is shorter than the %s between two looks (dispatch.interval); set %[2]s or more", c.Dispatch.Resend, c.Dispatch.Interval)
}

// sum adds two times, and stays at the longest that there is.
func sum(a, b time.Duration) time.Duration {
	if a > 0 && b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}
