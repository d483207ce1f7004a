package cli

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// What the collector aims to stay below. A process may take 512 MiB at any size of
// transfer, SQLite's caches included, but most need much less: a few signatures and batches.
const (
	memoryUsual = 140 << 20
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

// afterCollection raises the limit for good when so much is in use that the collector
// would run all the time. It looks each time that the collector has run.
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

// memoryLimit is the limit for a process with so much in use.
func memoryLimit(live uint64) int64 {
	if live > memoryUsual*3/4 {
		return memoryMost
	}
	return memoryUsual
}
