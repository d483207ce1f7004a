//go:build !linux

package testservers

// memoryFolder is empty: there is no folder in memory.
func memoryFolder() string { return "" }
