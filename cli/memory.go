package cli

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// Limits for the garbage collector. A process may use 512 MiB for transfers of any size,
// SQLite's caches included, but most processes need much less.
const (
	memoryUsual = 124 << 20 // with all that the kernel may map of the program's file, a run that identifies formats stays below 200 MiB
	memoryMost  = 384 << 20

	// memorySpare is what the collector gets besides memoryUsual when less is mapped: then
	// the process stays below residentMost with it, and collects a third less often.
	memorySpare  = 20 << 20
	residentMost = 201 << 20
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
	now := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(now)
	limit := memoryLimit(now[0].Value.Uint64(), now[1].Value.Uint64()-now[2].Value.Uint64(), resident())
	debug.SetMemoryLimit(limit)
	if limit == memoryMost {
		return
	}
	type garbage struct{ _ *int } // with a pointer: without, it might share its place with what stays
	runtime.AddCleanup(new(garbage), func(int) { afterCollection() }, 0)
}

// memoryLimit is the limit for a process with so much live memory, and of which so much is
// resident, 0 when that is not known. used is the part to which the limit applies.
func memoryLimit(live, used, resident uint64) int64 {
	if live > memoryUsual*3/4 {
		return memoryMost
	}
	if resident < used {
		return memoryUsual
	}
	others := int64(resident - used)
	return min(max(residentMost-others, memoryUsual), memoryUsual+memorySpare)
}

// resident is how much memory of the process is in the machine's memory, with what is mapped
// of its file, as Linux tells; 0 elsewhere.
func resident() (bytes uint64) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages uint64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
