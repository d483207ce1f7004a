package scan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// ObjectLister lists object storage, as internal/storage does.
type ObjectLister interface {
	// List emits the object at path, and those below path + "/", in byte order of their
	// keys; fs.ErrNotExist when there is none.
	List(ctx context.Context, path string, emit func(tasks.File) error) error

	// Stat describes the object at path; fs.ErrNotExist when there is none.
	Stat(ctx context.Context, path string) (tasks.File, error)

	// Exists returns an error when List would return one before it emits anything.
	Exists(ctx context.Context, path string) error
}

// ErrNoObjects says that this program lists no object storage.
var ErrNoObjects = errors.New("this program reads no object storage")

// objects emits the objects of one source.
func (w *walker) objects(source string) error {
	if w.lister == nil {
		return w.fail(source, ErrNoObjects)
	}
	found := false
	folder := "" // that a key stands for, without an object in it so far
	err := w.lister.List(w.ctx, source, func(f tasks.File) error {
		found = true
		if folder != "" && !strings.HasPrefix(f.Path, folder) {
			w.report.EmptyFolders++
		}
		folder = ""
		if f.Size == 0 && strings.HasSuffix(f.Path, "/") { // as consoles make folders
			folder = f.Path
			return nil
		}
		return w.object(f)
	})
	if folder != "" {
		w.report.EmptyFolders++
	}
	switch {
	case err == nil || w.ctx.Err() != nil, found:
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return w.fail(source, err)
	}
	return fmt.Errorf("scan %s: %w", source, err)
}

// object emits one object, unless a folder of its key is left out.
func (w *walker) object(f tasks.File) error {
	if f.Path != w.root && w.sel.excludesBelow(w.relative(f.Path), false) {
		w.report.Unselected++
		return nil
	}
	return w.put(f)
}

// addObject emits an object of a list of paths, or else the objects below the path.
func (l *Lister) addObject(path string) error {
	w := l.walker
	if w.lister == nil {
		return w.fail(path, ErrNoObjects)
	}
	for dir := path; ; dir = tasks.ParentPath(dir) {
		if w.within[dir] {
			return nil
		}
		if dir == tasks.ParentPath(dir) {
			break
		}
	}
	f, err := w.lister.Stat(w.ctx, path)
	switch {
	case err == nil:
		return w.object(f)
	case w.ctx.Err() != nil:
		return w.ctx.Err()
	case errors.Is(err, fs.ErrNotExist):
		w.within[path] = true
		return w.objects(strings.TrimSuffix(path, "/"))
	case errors.Is(err, fs.ErrPermission):
		return w.fail(path, err)
	}
	return fmt.Errorf("look at %s: %w", path, err)
}
