package scan

import (
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// source is one place where a scan starts.
type source struct {
	path string      // absolute and clean; what files below are named by
	real string      // path without symlinks on the way, to compare by
	info fs.FileInfo // nil when err is not
	err  error       // why there is nothing to scan
}

// resolve finds out what a source is. Its error is only that of a relative
// path when there is no working directory.
func resolve(path string) (source, error) {
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

// follow inspects what a symlink leads to.
func follow(path string) source {
	// Stat tells a loop by its number, EvalSymlinks only in words.
	if _, err := os.Stat(path); err != nil {
		return source{path: path, real: path, err: err}
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return source{path: path, real: path, err: err}
	}
	return inspect(target, realDir)
}

// inspect looks at an absolute path without following it; resolved gives the
// directory that it lies in without symlinks on the way.
func inspect(path string, resolved func(dir string) string) source {
	s := source{path: path, real: path}
	s.info, s.err = os.Lstat(path)
	if s.err == nil {
		s.real = child(resolved(filepath.Dir(path)), filepath.Base(path))
	}
	return s
}

// realDir resolves the symlinks in the path of a directory. It is the path as
// given when that cannot be done: at worst a file is emitted twice.
func realDir(dir string) string {
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return dir
	}
	return resolved
}

// withoutNested drops the sources that the walk of another one reaches, and
// repeated ones. What could not be read stays: no walk reports it.
func withoutNested(sources []source) []source {
	dirs, seen := map[string]bool{}, map[string]bool{}
	for _, s := range sources {
		if s.err == nil && s.info.IsDir() {
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

// reached reports whether walking one of dirs comes by path.
func reached(path string, dirs map[string]bool) bool {
	dir, ok := above(path, dirs)
	return ok && listable(path, dir)
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

// listable reports whether every directory from above path up to top can be
// listed. One that may be entered only hides from a walk what can be named.
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
		for dir := filepath.Dir(path); dir != path; path, dir = dir, filepath.Dir(dir) {
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
