package handlers

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// renameNoReplace renames a file, and fails with fs.ErrExist when there is one of the new name.
// Both are in the same folder. Some file systems do not know it.
func renameNoReplace(root *os.Root, temporary, name string) (err error) {
	dir, err := root.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close() // nothing was written through it
	conn, err := dir.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		failed = unix.Renameat2(int(fd), filepath.Base(temporary), int(fd), filepath.Base(name), unix.RENAME_NOREPLACE)
	})
	if err != nil || failed == nil {
		return err
	}
	if errors.Is(failed, fs.ErrExist) {
		return fs.ErrExist
	}
	return &os.LinkError{Op: "rename", Old: temporary, New: name, Err: failed}
}
