//go:build !faults

package faults

// Point is nothing in an ordinary build.
func Point(Name) {}
