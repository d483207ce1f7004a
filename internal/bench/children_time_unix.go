//go:build unix

package bench

import (
	"syscall"
	"time"
)

// childrenTime is the processor time of all children of this process that have ended.
func childrenTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
