package handlers

import (
	"context"
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
type ObjectStore = FileOpener

// ObjectWriter writes objects, too.
type ObjectWriter interface {
	ObjectStore

	// Create puts an object in place once write has returned nil, and all of it or nothing.
	// Unless replace is set it fails with fs.ErrExist when there is one.
	Create(ctx context.Context, path string, replace bool, write func(io.Writer) error) error

	// Remove removes an object.
	Remove(ctx context.Context, path string) error
}

// ObjectVersion is the ETag or the generation of an object that is described by Stat, as in
// tasks.File; empty for a file.
func ObjectVersion(info fs.FileInfo) string {
	if object, ok := info.(interface{ Version() string }); ok {
		return object.Version()
	}
	return ""
}

// ErrNoObjectStore says that this program reads no object storage.
var ErrNoObjectStore = errors.New("this program reads no object storage")
