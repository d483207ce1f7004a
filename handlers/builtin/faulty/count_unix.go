//go:build failpoint && unix

package faulty

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// count makes a file in a folder, which it locks until end is called or the process dies, and
// writes how many of the files there are locked at this time to a file of its own: N.peak.
func count(dir string) (end func(), err error) {
	f, err := os.CreateTemp(dir, "*.running")
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.running"))
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	running := 0
	for _, path := range files {
		if other, err := os.Open(path); err == nil {
			if syscall.Flock(int(other.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil {
				running++
			}
			_ = other.Close() // nothing was written
		}
	}
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.peak", running)), nil, 0o600); err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	return func() {
		_ = os.Remove(f.Name()) // another call that does not find it does not count it
		_ = f.Close()
	}, nil
}
