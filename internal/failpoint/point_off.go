//go:build !failpoint

package failpoint

// Point is nothing in an ordinary build.
func Point(Name) {}
