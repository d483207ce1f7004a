package scan

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// namesAtOnce is how many names of a directory are read between two checks of the
// context.
const namesAtOnce = 4096

// errReplaced is the error of a directory that was replaced after it was found and
// before it was opened. It may now be a link to any path.
var errReplaced = errors.New("replaced while the scan ran")

// walker emits the files that it finds, and counts them.
type walker struct {
	ctx       context.Context //nolint:containedctx // of one call of Scan
	emit      func(tasks.File) error
	onSkipped func(SkippedEntry) // may be nil
	lister    ObjectLister       // may be nil
	excluded  map[string]bool
	sel       *Selector
	root      string          // patterns match paths relative to it; empty for the root of the file system
	within    map[string]bool // real paths of the sources
	folders   hash.Hash       // of the folders met so far
	report    Report
}

func newWalker(ctx context.Context, opts Options, emit func(tasks.File) error) *walker {
	w := &walker{
		ctx: ctx, emit: emit, onSkipped: opts.OnSkipped, lister: opts.Objects, sel: opts.Select,
		excluded: map[string]bool{}, within: map[string]bool{}, folders: sha256.New(),
	}
	for _, dir := range opts.Exclude {
		dir = filepath.Clean(dir)
		w.excluded[dir] = true
		w.excluded[realDir(dir)] = true
	}
	return w
}

// source walks one source. Patterns match paths relative to root.
func (w *walker) source(s source, root string) error {
	w.root = root
	if tasks.IsObject(s.path) {
		return w.objects(s.path)
	}
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

// visit handles one path by its type. Files are emitted with this path; resolved is the
// same path with symlinks resolved.
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

// dir visits the entries of a directory, in byte order of their names.
func (w *walker) dir(path, resolved string, info fs.FileInfo) error {
	if w.excluded[path] || w.excluded[resolved] {
		return nil
	}
	if path != w.root && w.sel.ExcludesFolder(w.relative(path)) {
		w.report.Unselected++
		return nil
	}
	d, err := openFolder(path, info)
	defer d.close()
	var names []string
	if err == nil {
		names, err = w.names(d.handle)
	}
	if ctxErr := w.ctx.Err(); ctxErr != nil {
		return fmt.Errorf("scan: %w", ctxErr)
	}
	if err != nil { // the names that were read are still visited
		if err := w.fail(path, err); err != nil {
			return err
		}
	}
	if err == nil && len(names) == 0 {
		w.report.EmptyFolders++
	}
	w.noteFolder(path, info)
	slices.Sort(names)
	for _, name := range names {
		if size, mtime, regular := d.stat(name); regular {
			err = w.file(tasks.File{Path: child(path, name), Size: size, MTime: mtime})
		} else {
			d.close()
			err = w.name(path, resolved, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// noteFolder adds a folder to the digest of all.
func (w *walker) noteFolder(path string, info fs.FileInfo) {
	_, _ = fmt.Fprintf(w.folders, "%s\x00%d\x00", path, info.ModTime().UnixNano()) // it never fails
}

// file emits a regular file.
func (w *walker) file(f tasks.File) error {
	if err := w.ctx.Err(); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	return w.put(f)
}

// name visits one name of a directory.
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

// fail emits a path that could not be read.
func (w *walker) fail(path string, err error) error {
	return w.put(tasks.File{Path: path, ScanError: scanError(err)})
}

// put emits a file, if it is selected.
func (w *walker) put(f tasks.File) error {
	rel := w.relative(f.Path)
	missing := f.ScanError != "" && f.Path == w.root // the source itself is never matched
	if !missing && !w.sel.file(rel, &f) {
		w.report.Unselected++
		return nil
	}
	if err := w.emit(f); err != nil {
		return err
	}
	w.report.Files++
	w.report.Bytes += f.Size
	if f.ScanError != "" {
		w.report.Problems++
	}
	if rel[0] == '.' || strings.Contains(rel, "/.") {
		w.report.Hidden++
	}
	return nil
}

// relative returns the path that patterns match: relative to the source, or, for a source
// that is a file, its name.
func (w *walker) relative(path string) string {
	if path == w.root {
		return tasks.BaseName(path)
	}
	return fromRoot(path[len(w.root):])
}

// fromRoot drops the separators at the start of a path, and makes slashes of the others.
func fromRoot(path string) string {
	rest := strings.TrimLeft(filepath.ToSlash(path), "/") // an object's path has slashes on every system
	if rest == "" {
		return "." // the root itself
	}
	return rest
}
