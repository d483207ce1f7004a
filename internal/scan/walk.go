package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/balerhq/baler/tasks"
)

// namesAtOnce is how many names of a directory are read between two looks at
// the context.
const namesAtOnce = 4096

// errReplaced is the error of a directory that became another file between
// being met and being opened: following it could lead anywhere.
var errReplaced = errors.New("replaced while the scan ran")

// walker emits what it comes by, and adds it up.
type walker struct {
	ctx      context.Context //nolint:containedctx // lives as long as one call of Scan, which got it
	emit     func(tasks.File) error
	notice   func(Skipped)
	excluded map[string]bool
	within   map[string]bool // real paths of the sources
	report   Report
}

func newWalker(ctx context.Context, opts Options, emit func(tasks.File) error) *walker {
	w := &walker{
		ctx: ctx, emit: emit, notice: opts.OnSkipped,
		excluded: map[string]bool{}, within: map[string]bool{},
	}
	for _, dir := range opts.Exclude {
		dir = filepath.Clean(dir)
		w.excluded[dir] = true
		w.excluded[realDir(dir)] = true
	}
	return w
}

// source walks one source.
func (w *walker) source(s source) error {
	if w.excludes(s.path) || w.excludes(s.real) {
		return nil
	}
	if s.err != nil {
		return w.fail(s.path, s.err)
	}
	return w.visit(s.path, s.real, s.info)
}

// excludes reports whether path is an excluded directory or lies in one.
func (w *walker) excludes(path string) bool {
	_, inside := above(path, w.excluded)
	return inside || w.excluded[path]
}

// visit deals with one path by what it is. Files are named by path; resolved
// is the same place without symlinks on the way.
func (w *walker) visit(path, resolved string, info fs.FileInfo) error {
	if err := w.ctx.Err(); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return w.put(fileOf(path, info))
	case mode.IsDir():
		return w.dir(path, resolved, info)
	case mode&fs.ModeSymlink != 0:
		w.link(path, resolved)
	default:
		w.special(path, mode)
	}
	return nil
}

// dir visits what lies in a directory, in byte order of the names.
func (w *walker) dir(path, resolved string, info fs.FileInfo) error {
	if w.excluded[path] || w.excluded[resolved] {
		return nil
	}
	f, err := open(path, info)
	var names []string
	if err == nil {
		names, err = w.names(f)
	}
	defer func() { _ = f.Close() }() // only read from
	if ctxErr := w.ctx.Err(); ctxErr != nil {
		return fmt.Errorf("scan: %w", ctxErr)
	}
	if err != nil { // the names read before are visited all the same
		if err := w.fail(path, err); err != nil {
			return err
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if f == nil && canStat {
			f, _ = open(path, info) // without it the name tells what is wrong
		}
		if size, mtime, regular := stat(f, name); regular {
			err = w.file(tasks.File{Path: child(path, name), Size: size, MTime: mtime})
		} else {
			_ = f.Close() // a deep tree would need many
			f = nil
			err = w.name(path, resolved, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// file emits a regular file.
func (w *walker) file(f tasks.File) error {
	if err := w.ctx.Err(); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	return w.put(f)
}

// name deals with one name of a directory, whatever it is.
func (w *walker) name(path, resolved, name string) error {
	below := child(path, name)
	info, err := os.Lstat(below)
	if err != nil {
		return w.fail(below, err)
	}
	return w.visit(below, child(resolved, name), info)
}

// names lists a directory.
func (w *walker) names(dir *os.File) (names []string, err error) {
	for w.ctx.Err() == nil {
		some, err := dir.Readdirnames(namesAtOnce)
		names = append(names, some...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return names, err
		}
	}
	return names, nil
}

// open opens a directory that was met as info.
func open(path string, info fs.FileInfo) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(info, opened) {
		err = errReplaced
	}
	if err != nil {
		_ = f.Close() // only read from
		return nil, err
	}
	return f, nil
}

// fail emits a path that could not be read.
func (w *walker) fail(path string, err error) error {
	return w.put(tasks.File{Path: path, ScanError: scanError(err)})
}

func (w *walker) put(f tasks.File) error {
	if err := w.emit(f); err != nil {
		return err
	}
	w.report.Files++
	w.report.Bytes += f.Size
	if f.ScanError != "" {
		w.report.Problems++
	}
	return nil
}
