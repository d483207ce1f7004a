package handlers

import (
	"os"

	"golang.org/x/sys/unix"
)

// fileBorn is when a file of a root was made, in nanoseconds; 0 where the file system does not know.
// A number of a file is used again when the file is gone, often at once: the time tells
// both apart.
func fileBorn(root *os.Root, name string) int64 {
	f, err := root.OpenFile(name, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return 0
	}
	defer f.Close() // nothing was written
	var stat unix.Statx_t
	err = unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BTIME, &stat)
	if err != nil || stat.Mask&unix.STATX_BTIME == 0 {
		return 0
	}
	return stat.Btime.Sec*1e9 + int64(stat.Btime.Nsec)
}
