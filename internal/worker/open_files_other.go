//go:build !unix

package worker

import "math"

// OpenFilesLimit is how many files the system allows this process to open; here it sets
// no limit.
func OpenFilesLimit() int { return math.MaxInt }
