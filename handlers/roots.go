package handlers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/balerhq/baler/tasks"
)

// The errors of Roots, beside those of the operating system.
var (
	ErrOutsideRoots = errors.New("outside the folders that may be read")
	ErrNotAFile     = errors.New("not a regular file")
	ErrNotAFolder   = errors.New("not a folder")
)

// Roots opens files within the folders that may be read and nowhere else, even when
// somebody replaces folders with symbolic links at the same time, because os.Root
// resolves every step of a path. It follows a link whose target lies within the
// roots. A root may be a single file; then a link in its place is followed only
// within its folder. Mount points and bind mounts inside a root count as inside.
// Roots is safe for concurrent use.
type Roots struct {
	dirs    map[string]bool // cleaned absolute paths
	objects []string        // objects and prefixes in object storage
	store   ObjectStore     // nil: none
	handles *handles

	mu   sync.Mutex
	real map[string]bool // dirs without symbolic links; filled when the first link is followed
}

// NewRoots allows the given absolute paths of folders or single files, and prefixes in
// object storage, see WithObjects. They need not exist before they are used. Without any,
// Open refuses every path.
func NewRoots(roots []string) (*Roots, error) {
	dirs, objects := separate(roots)
	allowed, err := absolute(dirs, "read")
	if err != nil {
		return nil, err
	}
	return &Roots{dirs: allowed, objects: objects, handles: newHandles(maxHandles)}, nil
}

// separate tells folders from prefixes in object storage.
func separate(roots []string) (dirs, objects []string) {
	for _, root := range roots {
		if tasks.IsObject(root) {
			objects = append(objects, root)
		} else {
			dirs = append(dirs, root)
		}
	}
	return dirs, objects
}

// absolute cleans the paths of folders that may be read or written.
func absolute(dirs []string, verb string) (map[string]bool, error) {
	clean := make(map[string]bool, len(dirs))
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			return nil, fmt.Errorf("folder that may be %s %q: must be an absolute path", verb, dir)
		}
		clean[filepath.Clean(dir)] = true
	}
	return clean, nil
}

// Open opens a regular file, or an object, for reading. It does not wait for the other end
// of a pipe. Errors wrap ErrOutsideRoots, ErrNotAFile, fs.ErrNotExist, fs.ErrPermission or
// another error of the operating system, or of the object store.
func (r *Roots) Open(path string) (ReadableFile, error) {
	if tasks.IsObject(path) {
		return r.openObject(path)
	}
	f, err := r.openLocal(path)
	if err != nil {
		return nil, err // not f, which would be an interface that is not nil
	}
	return f, nil
}

func (r *Roots) openLocal(path string) (*os.File, error) {
	f, err := r.open(path, openFile)
	if err != nil {
		return nil, err
	}
	return regularFile(f, path)
}

// regularFile returns f, or closes it and returns ErrNotAFile when it is something else.
func regularFile(f *os.File, path string) (*os.File, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotAFile}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// OpenFolder opens a folder for reading, by the rules of Open.
func (r *Roots) OpenFolder(path string) (*os.File, error) {
	f, err := r.open(path, openFolder)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotAFolder}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close closes the folders. Files that are open stay open.
func (r *Roots) Close() error { return r.handles.close() }

func (r *Roots) open(path string, how openHow) (*os.File, error) {
	clean := filepath.Clean(path)
	root, ok := longestAllowed(clean, func(dir string) bool { return r.dirs[dir] })
	if !ok {
		return nil, r.refuse(path)
	}
	f, err := r.handles.open(root, clean, how)
	if !refusedByRoot(err) {
		return f, err
	}
	// os.Root follows no absolute link and no link into another root. Resolve the
	// link without it, and open the target from the root that contains it.
	resolved, err := filepath.EvalSymlinks(clean)
	if refusedByRoot(err) {
		return nil, fmt.Errorf("follow link %s: %w: %w", path, ErrNotAFile, err) // a loop of links
	}
	if err != nil {
		return nil, fmt.Errorf("follow link %s: %w", path, err)
	}
	root, ok = longestAllowed(resolved, r.isReal)
	if !ok {
		return nil, r.refuse(path)
	}
	f, err = r.handles.open(root, resolved, how)
	if refusedByRoot(err) {
		return nil, r.refuse(path)
	}
	return f, err
}

func (r *Roots) refuse(path string) error {
	err := fmt.Errorf("%w: add its folder to BALER_ROOTS", ErrOutsideRoots)
	if len(r.dirs)+len(r.objects) == 0 {
		err = fmt.Errorf("%w: there are none, set BALER_ROOTS", ErrOutsideRoots)
	}
	return &fs.PathError{Op: "open", Path: path, Err: err}
}

// isReal reports whether dir is one of the roots with its links resolved.
func (r *Roots) isReal(dir string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.real == nil {
		r.real = make(map[string]bool, len(r.dirs))
		for root := range r.dirs {
			if target, err := realRoot(root); err == nil { // a root that does not exist contains nothing
				r.real[target] = true
			}
		}
	}
	return r.real[dir]
}

// realRoot resolves the links on the way to a root. It does not resolve a link in place
// of a single file: a user who can create that link must not choose the file that is
// read.
func realRoot(root string) (string, error) {
	target, err := filepath.EvalSymlinks(root)
	if err != nil {
		return "", fmt.Errorf("resolve root: %w", err)
	}
	if info, err := os.Stat(target); err != nil || info.IsDir() {
		return target, err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(root))
	return filepath.Join(parent, filepath.Base(root)), err
}

// longestAllowed returns the deepest allowed path that is a clean path or above it.
func longestAllowed(path string, allowed func(string) bool) (string, bool) {
	for !allowed(path) {
		parent := filepath.Dir(path)
		if parent == path {
			return "", false
		}
		path = parent
	}
	return path, true
}

// refusedByRoot reports whether err is a refusal of os.Root itself, which has no
// sentinel to compare with, and not an error of the operating system. EvalSymlinks
// refuses loops with such an error, too.
func refusedByRoot(err error) bool {
	var errno syscall.Errno
	return err != nil && !errors.As(err, &errno) && !errors.Is(err, fs.ErrClosed) && !errors.Is(err, ErrNotAFile)
}

// relative is path below dir, both clean, dir being path or above it.
func relative(dir, path string) string {
	rel := strings.TrimPrefix(path[len(dir):], string(filepath.Separator))
	if rel == "" {
		return "."
	}
	return rel
}
