//go:build !failpoint

package failpoint

// Point does nothing without the build tag "failpoint".
func Point(Name) {}
