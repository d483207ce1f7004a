//go:build unix

package handlers

import (
	"os"
	"syscall"
)

// fileNumber is the number that a file has on its file system; 0 when it has none.
func fileNumber(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino) //nolint:unconvert // its type differs between systems
	}
	return 0
}
