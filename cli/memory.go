package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Limits for the garbage collector. A process may use 512 MiB for transfers of any size,
// SQLite's caches included, but most processes need much less.
const (
	memoryUsual = 124 << 20 // with what the kernel maps of the program's file, a run that identifies formats stays below 200 MiB
	memoryMost  = 384 << 20
)

// collectLess sets the garbage collector to run when the heap has grown to four times
// the live memory: live memory is small, and collecting took a tenth of the time of a
// busy worker. With more live memory it runs as often as necessary to stay below a
// limit. GOGC and GOMEMLIMIT take precedence.
func collectLess(getenv func(string) string) {
	if getenv("GOGC") == "" && getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(300)
		debug.SetMemoryLimit(memoryUsual)
		afterCollection()
	}
}

// afterCollection checks the memory in use after each collection. It raises the limit
// permanently when so much is in use that the collector would run all the time.
func afterCollection() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if limit := memoryLimit(live[0].Value.Uint64()); limit > memoryUsual {
		debug.SetMemoryLimit(limit)
		return
	}
	type garbage struct{ _ *int } // with a pointer: without, it might share its place with what stays
	runtime.AddCleanup(new(garbage), func(int) { afterCollection() }, 0)
}

// memoryLimit is the limit for a process with so much live memory.
func memoryLimit(live uint64) int64 {
	if live > memoryUsual*3/4 {
		return memoryMost
	}
	return memoryUsual
}
