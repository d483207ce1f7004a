package handlers

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// maxHandles is how many roots are kept open at a time. A submission of thousands of
// single files has thousands of roots.
const maxHandles = 64

// handles keeps the most recently used roots open. A root can be closed at any time,
// because os.Root delays its closing until running calls have ended.
type handles struct {
	limit int

	mu     sync.Mutex
	closed bool
	byDir  map[string]*handle
	uses   int64
}

type handle struct {
	dir  string
	root *os.Root
	fast *beneath // for files only: what os.Root opens as a folder reads its entries without leaving it
	only string   // when dir is a single file: its name within root
	used int64    // value of handles.uses at the last use
}

func newHandles(limit int) *handles {
	return &handles{limit: limit, byDir: make(map[string]*handle)}
}

// open opens path, which is dir or below it, with openFile or openFolder.
func (hs *handles) open(dir, path string, open openHow) (*os.File, error) {
	for {
		h, fresh, err := hs.get(dir)
		if err != nil {
			return nil, err
		}
		f, err := open(h, h.name(path))
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, fs.ErrClosed) && !hs.isClosed():
			hs.drop(h) // it was closed between get and open, to make room for others
			continue
		case !fresh && errors.Is(err, fs.ErrNotExist) && h.stale():
			hs.drop(h) // the folder was replaced since it was opened
			continue
		}
		return nil, fmt.Errorf("below %s: %w", dir, err)
	}
}

// openHow opens a name below a handle's folder.
type openHow func(h *handle, name string) (*os.File, error)

// openFile opens a file. A pipe does not block it.
func openFile(h *handle, name string) (*os.File, error) {
	if f, ok := h.fast.open(name); ok {
		return f, nil
	}
	return openFolder(h, name)
}

// openFolder opens a file or a folder, by os.Root alone.
func openFolder(h *handle, name string) (*os.File, error) {
	return h.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func (h *handle) name(path string) string {
	if h.only != "" {
		return h.only
	}
	return relative(h.dir, path)
}

// stale reports whether the folder at this path has been removed or replaced.
func (h *handle) stale() bool {
	held, err := h.root.Stat(".")
	if err != nil {
		return true
	}
	now, err := os.Stat(h.root.Name())
	return err != nil || !os.SameFile(held, now)
}

func (hs *handles) get(dir string) (h *handle, fresh bool, err error) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.closed {
		return nil, false, fmt.Errorf("open %s: %w", dir, fs.ErrClosed)
	}
	hs.uses++
	if h, ok := hs.byDir[dir]; ok {
		h.used = hs.uses
		return h, false, nil
	}
	h, err = openHandle(dir)
	if err != nil {
		return nil, false, err
	}
	h.used = hs.uses
	hs.byDir[dir] = h
	if len(hs.byDir) > hs.limit {
		hs.remove(slices.MinFunc(slices.Collect(maps.Values(hs.byDir)), byUse))
	}
	return h, true, nil
}

func byUse(a, b *handle) int { return cmp.Compare(a.used, b.used) }

func openHandle(dir string) (*handle, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open root: %w", err)
	}
	h := &handle{dir: dir}
	at := dir
	switch {
	case info.Mode().IsRegular():
		at, h.only = filepath.Split(dir)
	case !info.IsDir():
		return nil, &fs.PathError{Op: "open", Path: dir, Err: ErrNotAFile}
	}
	if h.root, err = os.OpenRoot(at); err != nil {
		return nil, fmt.Errorf("open root: %w", err)
	}
	h.fast = newBeneath(h.root)
	return h, nil
}

func (hs *handles) drop(h *handle) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.byDir[h.dir] == h {
		hs.remove(h)
	}
}

func (hs *handles) remove(h *handle) {
	delete(hs.byDir, h.dir)
	h.fast.close()
	_ = h.root.Close() // opened for reading: closing cannot lose data
}

func (hs *handles) isClosed() bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	return hs.closed
}

func (hs *handles) close() error {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	hs.closed = true
	for _, h := range hs.byDir {
		hs.remove(h)
	}
	return nil
}
