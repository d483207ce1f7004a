package main

import "slices"

// checkPaths refuses an empty path, which would stand for the current folder: it
// is what a script passes whose variable is not set.
func checkPaths(paths []string) error {
	if i := slices.Index(paths, ""); i >= 0 {
		return usagef("path %d is empty; use . for the current folder", i+1)
	}
	return nil
}
