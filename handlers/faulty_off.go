//go:build !failpoint

package handlers

// registerFaulty is for builds that tests make to see processes die.
func registerFaulty(*Registry) {}
