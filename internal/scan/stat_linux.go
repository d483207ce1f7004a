package scan

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// canStat says that stat needs an open directory.
const canStat = true

// stat returns the size and modification time of a regular file in an open directory.
// regular is false for anything else, and on errors. Looking up the whole path of each
// file instead takes half as long again.
func stat(dir *os.File, name string) (size int64, mtime time.Time, regular bool) {
	if dir == nil {
		return 0, mtime, false
	}
	var st unix.Stat_t
	err := unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return 0, mtime, false
	}
	return st.Size, modified(time.Unix(st.Mtim.Unix())), true
}
