package baler

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/balerhq/baler/internal/db"
)

// ErrNoRoots is the error of a process that needs BALER_ROOTS before it may read files.
var ErrNoRoots = errors.New("set BALER_ROOTS (--roots) to the folders that workers may read")

// CheckRoots returns ErrNoRoots when the queue or the database is shared and no roots
// are set: others could then make this process read any file. An embedded queue and
// database belong to the user who runs the process: there, the sources of each transfer
// limit which files are read for it.
func (b *Baler) CheckRoots() error {
	if len(b.cfg.Roots) > 0 {
		return nil
	}
	database, queue := b.Describe()
	switch {
	case !b.queue.Embedded():
		return fmt.Errorf("anyone who can write to the queue at %s could make this worker read any file: %w", queue, ErrNoRoots)
	case b.store.Dialect() != db.SQLite:
		return fmt.Errorf("anyone who can write to the database %s could make this worker read any file: %w", database, ErrNoRoots)
	}
	return nil
}

// checkListRoots returns ErrNoRoots when nothing limits which files of a list may be
// read. On a shared queue or database, the roots of the workers limit them.
func (b *Baler) checkListRoots() error {
	if len(b.cfg.Roots) == 0 && b.queue.Embedded() && b.store.Dialect() == db.SQLite {
		return fmt.Errorf("the files of a list may be anywhere: %w, here and for the worker", ErrNoRoots)
	}
	return nil
}

// readable returns the folders that workers may read: the roots, and the real folder of
// each root that is a link, because the paths of registered files contain no links to
// folders.
func (b *Baler) readable() []string {
	all := slices.Clone(b.cfg.Roots)
	for _, root := range b.cfg.Roots {
		real, err := filepath.EvalSymlinks(root)
		if err != nil || slices.Contains(all, real) {
			continue // it need not exist yet
		}
		if info, err := os.Stat(real); err == nil && info.IsDir() {
			all = append(all, real)
		}
	}
	return all
}
