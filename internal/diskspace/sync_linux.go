package diskspace

import (
	"os"

	"golang.org/x/sys/unix"
)

// CanSync says whether Sync writes a whole file system. Where it does not, each file must be synced.
const CanSync = true

// Sync writes all that is in memory of the file system of an open file to its disk: of thousands
// of small files at once.
func Sync(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = unix.Syncfs(int(fd)) }); err != nil {
		return err
	}
	return os.NewSyscallError("syncfs", failed)
}
