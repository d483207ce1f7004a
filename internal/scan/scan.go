package scan

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Options configures Scan and ReadPaths. The zero value is ready to use.
type Options struct {
	// Exclude has absolute paths of directories that are skipped with their content.
	Exclude []string

	// Select selects the files that are emitted; nil selects all.
	Select *Selector

	// Objects lists object storage; nil: paths of objects cannot be read.
	Objects ObjectLister

	// OnSkipped is called for each entry that is found but not emitted; it may be nil.
	OnSkipped func(SkippedEntry)
}

// SkipReason says why an entry was not emitted.
type SkipReason string

// The reasons for not emitting an entry.
const (
	SkipSymlink SkipReason = "symlink" // never followed inside a source
	SkipSpecial SkipReason = "special" // a socket, named pipe or device
)

// SkippedEntry is an entry that a scan found and did not emit. Detail is a word or two, for a
// symlink followed by a colon and its target: "broken: …", "loops: …", "leads out of the
// sources: …", "stays inside: …", "unreadable: …".
type SkippedEntry struct {
	Path   string
	Reason SkipReason
	Detail string
}

// Report has the totals of a scan.
type Report struct {
	Files    int64 // emitted, including those with a problem
	Bytes    int64 // their sizes
	Problems int64 // emitted with a problem
	Links    int64 // symlinks, not followed
	Specials int64 // sockets, named pipes, devices

	Unselected   int64 // files and whole folders that Select leaves out
	Hidden       int64 // emitted files with a name that begins with a dot in their path below the source
	EmptyFolders int64

	// FolderDigest is the same when two scans of the same sources have found the same folders,
	// with the same modification times.
	FolderDigest string
}

// Scan emits every regular file among and below the sources, in the order of the sources
// and, within a directory, in byte order of the names; objects in byte order of their keys. A source that is a symlink is
// resolved; symlinks below the sources are not followed. A source that is repeated, or
// that lies within another one, adds nothing.
//
// Paths that are missing or cannot be read are also emitted, with a ScanError, and the
// scan continues. Scan returns errors of emit and ctx. Its memory grows with the number
// of names in one directory and in those above it, not with the number of files.
func Scan(ctx context.Context, sources []string, opts Options, emit func(tasks.File) error) (Report, error) {
	starts, err := starts(sources)
	if err != nil {
		return Report{}, err
	}
	w := newWalker(ctx, opts, emit)
	for _, s := range starts {
		w.within[s.real] = true
	}
	for _, s := range starts {
		if err := w.source(s, s.path); err != nil {
			return w.report, err
		}
	}
	w.report.FolderDigest = hex.EncodeToString(w.folders.Sum(nil))
	return w.report, nil
}

// scanError says why a path could not be read. It leaves out the path, which is stored
// beside it and may not be valid text.
func scanError(err error) string {
	cause := err
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		cause = at.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("not-found: %v", cause)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("permission-denied: %v", cause)
	}
	return fmt.Sprintf("unreadable: %v", cause)
}

func fileOf(path string, info fs.FileInfo) tasks.File {
	return tasks.File{Path: path, Size: info.Size(), MTime: modified(info.ModTime())}
}

// modified returns a modification time with the precision of the files' rows.
func modified(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
