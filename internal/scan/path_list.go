package scan

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"

	"github.com/balerhq/baler/tasks"
)

// longestPath is longer than a path can be on any system.
const longestPath = 64 << 10

// ReadPaths emits the files of a list of paths. Each path is a line or, with nul, ends
// with a NUL byte. Every byte of a line belongs to the path; empty lines are skipped.
// Files are emitted and directories are walked as by Scan, but listed symlinks are not
// followed, because the list of a tree contains the symlinks in it. Files in a directory
// that was listed before are not emitted again; a file that is listed twice is.
//
// It returns errors of r, emit and ctx, and an error when r is not a list of paths. ctx
// is checked between paths; it does not interrupt a read.
func ReadPaths(ctx context.Context, r io.Reader, nul bool, opts Options, emit func(tasks.File) error) (Report, error) {
	list := newPathList(r, nul)
	paths := NewLister(ctx, opts, emit)
	for {
		path, err := list.next()
		if errors.Is(err, io.EOF) {
			return paths.Report(), nil
		}
		if err == nil {
			err = paths.Add(path)
		}
		if err != nil {
			return paths.Report(), err
		}
	}
}

// Paths yields the paths of a list as they are, without looking at them. It ends with the
// first error. See ReadPaths.
func Paths(r io.Reader, nul bool) iter.Seq2[string, error] {
	list := newPathList(r, nul)
	return func(yield func(string, error) bool) {
		for {
			path, err := list.next()
			if errors.Is(err, io.EOF) || !yield(path, err) || err != nil {
				return
			}
		}
	}
}

// Lister scans paths one after another, as ReadPaths does. Make one with NewLister.
type Lister struct {
	walker   *walker
	resolved func(dir string) string
}

// NewLister makes a Lister that calls emit for each file.
func NewLister(ctx context.Context, opts Options, emit func(tasks.File) error) *Lister {
	return &Lister{walker: newWalker(ctx, opts, emit), resolved: rememberLast(realDir)}
}

// Report counts what was scanned so far.
func (l *Lister) Report() Report { return l.walker.report }

// Add emits a file, or the files below a folder.
func (l *Lister) Add(path string) error {
	w := l.walker
	if err := w.ctx.Err(); err != nil {
		return fmt.Errorf("read paths: %w", err)
	}
	if tasks.IsObject(path) {
		return l.addObject(path)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("read paths: %q: %w", path, err)
	}
	s := inspect(abs, l.resolved)
	if s.err == nil && (w.within[s.real] || reached(s.real, w.within)) {
		return nil
	}
	if s.err == nil && s.info.IsDir() {
		w.within[s.real] = true
	}
	if w.sel.excludesBelow(fromRoot(abs), s.err == nil && s.info.IsDir()) {
		w.report.Unselected++
		return nil
	}
	return w.source(s, "")
}

// rememberLast caches the last result of resolve, because lists usually have all paths
// of one directory together.
func rememberLast(resolve func(dir string) string) func(dir string) string {
	var last, resolved string
	return func(dir string) string {
		if dir != last {
			last, resolved = dir, resolve(dir)
		}
		return resolved
	}
}

// pathList reads the paths of a list.
type pathList struct {
	r    *bufio.Reader
	name string // of the list, for errors; empty when it has none
	end  byte
	no   int64 // number of the last path, from 1
}

func newPathList(r io.Reader, nul bool) *pathList {
	l := &pathList{r: bufio.NewReaderSize(r, longestPath), end: '\n'}
	if nul {
		l.end = 0
	}
	if named, ok := r.(interface{ Name() string }); ok { // as a file has
		l.name = named.Name() + ": "
	}
	return l
}

// next is the next path that is not empty, or io.EOF.
func (l *pathList) next() (string, error) {
	for {
		line, err := l.r.ReadSlice(l.end)
		l.no++
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return "", l.wrong("is longer than a path can be")
		case err != nil && !errors.Is(err, io.EOF):
			return "", fmt.Errorf("read paths: %w", err)
		}
		line = bytes.TrimSuffix(line, []byte{l.end})
		if bytes.IndexByte(line, 0) >= 0 {
			return "", l.wrong("holds a NUL byte")
		}
		if len(line) > 0 { // the last path may have no end; the next read returns EOF again
			return string(line), nil
		}
		if err != nil {
			return "", io.EOF
		}
	}
}

func (l *pathList) wrong(what string) error {
	hint := "lines: was it written with NUL bytes, as by find -print0?"
	if l.end == 0 {
		hint = "paths ended by NUL bytes: was it written in lines?"
	}
	return fmt.Errorf("read paths: %spath %d %s, but the list should have %s", l.name, l.no, what, hint)
}
