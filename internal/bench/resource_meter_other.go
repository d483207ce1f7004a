//go:build !linux

package bench

// read knows only Linux.
func read(int) (reading, bool) { return reading{}, false }

func forgetPeak(int) {}

func readHost() hostTime { return hostTime{} }
