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
	runtime.GC() // what another test has used counts until then
	collectLess(func(string) string { return "" })
	runtime.GC()
	if got := debug.SetMemoryLimit(-1); got < memoryUsual || got > memoryUsual+memorySpare {
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

func TestMemoryLimitLeavesRoomForWhatIsMapped(t *testing.T) {
	for _, c := range []struct {
		name                 string
		live, used, resident uint64
		want                 int64
	}{
		{"much is mapped", 80, 110, 110 + 84, 124},
		{"less is mapped", 80, 110, 110 + 65, 136},
		{"little is mapped", 80, 110, 110 + 20, 144},
		{"not known", 80, 110, 0, 124},
		{"much is in use", 94, 110, 110 + 20, 384},
	} {
		if got := memoryLimit(c.live<<20, c.used<<20, c.resident<<20); got != c.want<<20 {
			t.Errorf("%s: %d MiB, want %d", c.name, got>>20, c.want)
		}
	}
	if runtime.GOOS == "linux" {
		if got := resident(); got < 1<<20 {
			t.Errorf("%d bytes of this process are resident", got)
		}
	}
}
