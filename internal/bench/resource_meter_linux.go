package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the kernel's unit of process times, which every platform shows as this.
const tick = time.Second / 100

// read tells what a process has used; false when it has ended.
func read(pid int) (r reading, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return r, false
	}
	// The name, in parentheses, may hold anything. Behind it the state is the
	// first field; user and system time are the 12th and 13th.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return r, false
	}
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return r, false
		}
		r.cpu += time.Duration(n) * tick
	}
	r.peak = peakOf(pid)
	return r, r.peak > 0 // a zombie has no memory any more
}

func peakOf(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kib int64
	if _, err := fmt.Sscan(string(rest), &kib); err != nil {
		return 0
	}
	return kib << 10
}

// forgetPeak has the kernel count a process's peak from now on. Where it may
// not, the peak is that of the process's whole life.
func forgetPeak(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// readHost reads the processors' time from the first line of /proc/stat. The eighth number
// is stolen time; those behind it are in others already.
func readHost() (t hostTime) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return t
	}
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	fields := bytes.Fields(line)
	const numbers = 8
	if len(fields) <= numbers {
		return t
	}
	for i, f := range fields[1 : numbers+1] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return hostTime{}
		}
		t.all += n
		if i == numbers-1 {
			t.stolen = n
		}
	}
	return t
}
