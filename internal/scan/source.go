package scan

import (
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/balerhq/baler/tasks"
)

// source is a path where a scan starts.
type source struct {
	path string      // absolute and clean; the beginning of the paths of its files
	real string      // path with symlinks resolved, for comparing
	info fs.FileInfo // nil when err is not
	err  error       // why the path cannot be scanned
}

// resolve finds out what a source is. It returns an error only for a relative path when
// there is no working directory.
func resolve(path string) (source, error) {
	if tasks.IsObject(path) {
		return source{path: path, real: path}, nil
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return source{}, err
	}
	s := inspect(abs, realDir)
	if s.err == nil && s.info.Mode()&fs.ModeSymlink != 0 {
		s = follow(abs)
	}
	return s, nil
}

// follow inspects the target of a symlink.
func follow(path string) source {
	// Stat reports a loop by its error number, EvalSymlinks only by a text.
	if _, err := os.Stat(path); err != nil {
		return source{path: path, real: path, err: err}
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return source{path: path, real: path, err: err}
	}
	return inspect(target, realDir)
}

// inspect inspects an absolute path without following it. resolved resolves the symlinks
// in the path of its directory.
func inspect(path string, resolved func(dir string) string) source {
	s := source{path: path, real: path}
	s.info, s.err = os.Lstat(path)
	if s.err == nil {
		s.real = child(resolved(filepath.Dir(path)), filepath.Base(path))
	}
	return s
}

// realDir resolves the symlinks in the path of a directory. If that fails it returns the
// path as given; at worst a file is emitted twice.
func realDir(dir string) string {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return dir
	}
	return resolved
}

// withoutNested drops repeated sources and those that the walk of another one reaches. It
// keeps those that could not be read, because no walk reports them.
func withoutNested(sources []source) []source {
	dirs, seen := map[string]bool{}, map[string]bool{}
	for _, s := range sources {
		if tasks.IsObject(s.path) || s.err == nil && s.info.IsDir() {
			dirs[s.real] = true
		}
	}
	var kept []source
	for _, s := range sources {
		if seen[s.real] || s.err == nil && reached(s.real, dirs) {
			continue
		}
		seen[s.real] = true
		kept = append(kept, s)
	}
	return kept
}

// reached reports whether the walk of one of dirs reaches path.
func reached(path string, dirs map[string]bool) bool {
	dir, ok := above(path, dirs)
	return ok && (tasks.IsObject(path) || listable(path, dir))
}

// above is the innermost of dirs that path lies in.
func above(path string, dirs map[string]bool) (dir string, ok bool) {
	for dir := range parents(path) {
		if dirs[dir] {
			return dir, true
		}
	}
	return "", false
}

// listable reports whether every directory above path, up to top, can be listed. A walk
// does not find what is in a directory that may be entered but not listed.
func listable(path, top string) bool {
	for dir := range parents(path) {
		f, err := os.Open(dir)
		if err != nil {
			return false
		}
		_ = f.Close() // nothing was read or written
		if dir == top {
			break
		}
	}
	return true
}

// parents yields the directories that an absolute path lies in, innermost first.
func parents(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for dir := tasks.ParentPath(path); dir != path; path, dir = dir, tasks.ParentPath(dir) {
			if !yield(dir) {
				return
			}
		}
	}
}

// child is the path of a name in a directory.
func child(dir, name string) string {
	if os.IsPathSeparator(dir[len(dir)-1]) { // the root ends in a separator itself
		return dir + name
	}
	return dir + string(filepath.Separator) + name
}
