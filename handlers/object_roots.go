package handlers

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// IsInObject reports whether the path of an object is root, an object or a prefix, or lies
// below it. A server that takes ".." for a folder must not lead out of the root either.
func IsInObject(root, object string) bool {
	if !tasks.IsObject(root) || !tasks.IsObject(object) {
		return false
	}
	bucket, prefix := tasks.SplitObject(root)
	of, key := tasks.SplitObject(object)
	if of != bucket || !isInPrefix(prefix, key) {
		return false
	}
	if !strings.Contains(key, "..") {
		return true
	}
	clean := path.Clean(key)
	return clean != ".." && !strings.HasPrefix(clean, "../") && isInPrefix(path.Clean(prefix), clean)
}

func isInPrefix(prefix, key string) bool {
	rest, ok := strings.CutPrefix(key, prefix)
	return prefix == "" || prefix == "." || ok && (rest == "" || rest[0] == '/')
}

// openObject opens an object within the roots.
func (r *Roots) openObject(object string) (ReadableFile, error) {
	within := slices.ContainsFunc(r.objects, func(root string) bool { return IsInObject(root, object) })
	switch {
	case !within && slices.ContainsFunc(r.objects, func(root string) bool { return isIn(root, object) }):
		return nil, &fs.PathError{Op: "open", Path: object, Err: fmt.Errorf(
			"%w: a server that takes .. for a folder would read outside of them; name the whole bucket to read it", ErrOutsideRoots)}
	case !within:
		return nil, r.refuse(object)
	case r.store == nil:
		return nil, &fs.PathError{Op: "open", Path: object, Err: fmt.Errorf("%w: %w", ErrOutsideRoots, ErrNoObjectStore)}
	}
	return r.store.Open(object)
}

// WithObjects opens the objects within the roots in a store. It is for runners and tests, and
// must be called before Open.
func (r *Roots) WithObjects(store ObjectStore) *Roots {
	r.store = store
	return r
}
