package scan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Options shape Scan and ReadPaths. The zero value is ready to use.
type Options struct {
	// Exclude names directories, by absolute paths, that are left out with all
	// that is in them.
	Exclude []string

	// OnSkipped is told of what is there and is not emitted. Nil only counts.
	OnSkipped func(Skipped)
}

// SkipReason is what a scan noticed.
type SkipReason string

// The kinds of what is noticed and not emitted.
const (
	SkipSymlink SkipReason = "symlink" // never followed inside a source
	SkipSpecial SkipReason = "special" // a socket, named pipe or device
)

// Skipped is something that a scan met and did not emit. Detail is a word or
// two, and for a symlink after a colon where it leads: "broken: …", "loops: …",
// "leads out of the sources: …", "stays inside: …", "unreadable: …".
type Skipped struct {
	Path   string
	Reason SkipReason
	Detail string
}

// Report adds up a scan.
type Report struct {
	Files    int64 // emitted, those with a problem among them
	Bytes    int64 // their sizes
	Problems int64 // emitted with a problem
	Links    int64 // symlinks, not followed
	Specials int64 // sockets, named pipes, devices
}

// Scan emits every regular file among and below the sources, source by source
// in the order given, and in byte order of the names within a directory. A
// source that is a symlink is resolved; symlinks met below are not followed. A
// source that is repeated, or that lies within another, adds nothing.
//
// What is missing or cannot be read is emitted too, with its Problem, and the
// scan goes on. An error is that of emit, or of ctx. Memory grows with the
// names in one directory and those that it lies in, not with the number of files.
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
		if err := w.source(s); err != nil {
			return w.report, err
		}
	}
	return w.report, nil
}

// scanError says of a path why it could not be read. The path itself is left
// out: it stands beside, and need not be valid text.
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

// modified is a time as files of a transfer have it.
func modified(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
