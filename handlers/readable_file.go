package handlers

import (
	"errors"
	"io"
	"io/fs"
)

// ReadableFile is a file, or an object in object storage, that is open for reading.
type ReadableFile interface {
	io.Reader
	io.ReaderAt
	io.Seeker
	io.Closer
	Stat() (fs.FileInfo, error)
}

// ObjectStore opens objects in object storage, whose paths tasks.IsObject describes. Its
// errors are those of FileOpener.
type ObjectStore interface {
	Open(path string) (ReadableFile, error)
}

// ErrNoObjectStore says that this program reads no object storage.
var ErrNoObjectStore = errors.New("this program reads no object storage")
