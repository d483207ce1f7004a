package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// A process in which much is in use gets more memory than others, so that the collector
// does not run all the time.
func TestMemoryLimitFollowsWhatIsInUse(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	collectLess(func(string) string { return "" })
	runtime.GC()
	if got := debug.SetMemoryLimit(-1); got != memoryUsual {
		t.Errorf("with little in use the limit is %d", got)
	}
	much := make([]byte, memoryUsual)
	for range 1000 { // a cleanup runs soon after a collection, not in it
		runtime.GC()
		runtime.Gosched()
		if debug.SetMemoryLimit(-1) == memoryMost {
			break
		}
	}
	if got := debug.SetMemoryLimit(-1); got != memoryMost {
		t.Errorf("with %d bytes in use the limit is %d", len(much), got)
	}
	runtime.KeepAlive(much)
}
