package db

import (
	"errors"
	"io/fs"

	"github.com/ncruces/go-sqlite3/vfs"
)

// readOnlyVFS opens the write-ahead log for reading when it may not be written, as
// the VFS of SQLite itself does and the driver's does not.
type readOnlyVFS struct{ vfs.VFSFilename }

const readOnlyVFSName = "baler_read_only"

// registerReadOnlyVFS makes the VFS known by its name. Doing so again changes nothing.
func registerReadOnlyVFS() error {
	system, ok := vfs.Find("os").(vfs.VFSFilename)
	if !ok {
		return errors.New("the SQLite driver's VFS opens no files by name")
	}
	vfs.Register(readOnlyVFSName, readOnlyVFS{system})
	return nil
}

// OpenFilename implements vfs.VFSFilename.
func (v readOnlyVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, got, err := v.VFSFilename.OpenFilename(name, flags)
	if flags&vfs.OPEN_WAL == 0 || !errors.Is(err, fs.ErrPermission) {
		return file, got, err
	}
	return v.VFSFilename.OpenFilename(name, flags&^(vfs.OPEN_READWRITE|vfs.OPEN_CREATE)|vfs.OPEN_READONLY)
}
