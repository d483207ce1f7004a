package testkit

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// SmallDisk mounts a file system in memory, of a size such as "size=1m,nr_inodes=5", for the
// time of the test. resize gives it another one. The test is skipped where this account may
// not mount.
func SmallDisk(t testing.TB, size string) (dir string, resize func(size string)) {
	t.Helper()
	dir = t.TempDir()
	err := unix.Mount("tmpfs", dir, "tmpfs", 0, size)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		t.Skip("this account may not mount a small file system")
	}
	Must(t, err)
	t.Cleanup(func() { Must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir, func(size string) {
		t.Helper()
		Must(t, unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, size))
	}
}
