//go:build !linux

package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// rename moves a file or a folder, and replaces none.
func rename(from, to string) error {
	if _, there := os.Lstat(to); !errors.Is(there, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	err := os.Rename(from, to)
	if errors.Is(err, syscall.EXDEV) {
		return fmt.Errorf("%s lies on another file system: give a folder on the one of %s", to, from)
	}
	return err
}

// inode is 0 where there are none.
func inode(fs.FileInfo) uint64 { return 0 }

// shared is unknown here: --poll looks at network shares.
func shared(string) bool { return false }
