package scan

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// canStat says that look is worth an open directory.
const canStat = true

// stat tells the size of a regular file in an open directory, and when it was
// modified; nothing of whatever else bears the name, or cannot be looked at. To
// walk the whole path of each file takes half as long again.
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
