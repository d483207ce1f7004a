//go:build linux || darwin

package diskspace

import (
	"os"
	"syscall"
)

// DiskOf is a number of the file system of an open file.
func DiskOf(f *os.File) (disk uint64, ok bool) {
	info, err := f.Stat()
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(stat.Dev), true //nolint:unconvert // macOS has another type
}
