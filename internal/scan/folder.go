package scan

import (
	"io/fs"
	"os"
	"time"
)

// folder is a directory whose entries the walk visits. Its handle is closed while the walk
// is below it: otherwise a deep tree would need many file descriptors.
type folder struct {
	path   string
	info   fs.FileInfo
	handle *os.File // nil while it is closed
}

// openFolder opens a directory, and fails when it is no longer the one that info describes.
func openFolder(path string, info fs.FileInfo) (*folder, error) {
	d := &folder{path: path, info: info}
	return d, d.open()
}

func (d *folder) open() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(d.info, opened) {
		err = errReplaced
	}
	if err != nil {
		_ = f.Close() // only read from
		return err
	}
	d.handle = f
	return nil
}

// stat is the function stat for an entry of the folder, which it opens again if need be.
func (d *folder) stat(name string) (size int64, mtime time.Time, regular bool) {
	if d.handle == nil && canStat {
		_ = d.open() // on an error, visiting the name reports it
	}
	return stat(d.handle, name)
}

// close closes the handle, if it is open.
func (d *folder) close() {
	_ = d.handle.Close() // only read from
	d.handle = nil
}
