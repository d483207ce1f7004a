//go:build unix

// Package openfiles knows how many files this process may have open.
package openfiles

import (
	"math"
	"syscall"
)

// Limit is how many files the system allows this process to open. Go has raised
// the soft limit to the hard one.
func Limit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt // an unknown limit counts as none
	}
	return int(min(uint64(limit.Cur), math.MaxInt)) //nolint:unconvert // its type differs between systems
}
