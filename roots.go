package baler

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/balerhq/baler/internal/db"
)

// ErrNoRoots says that a process may not read files before BALER_ROOTS limits it.
var ErrNoRoots = errors.New("set BALER_ROOTS (--roots) to the folders that workers may read")

// CheckRoots returns ErrNoRoots when this process would read whatever paths others
// write to a shared queue or database. Embedded ones belong to the user who runs the
// process: there the sources of each transfer limit what is read for it.
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

// checkListRoots reports an error when nothing would say which of a list's files may
// be read. On shared services the roots of the workers do.
func (b *Baler) checkListRoots() error {
	if len(b.cfg.Roots) == 0 && b.queue.Embedded() && b.store.Dialect() == db.SQLite {
		return fmt.Errorf("the files of a list may be anywhere: %w, here and for the worker", ErrNoRoots)
	}
	return nil
}

// readable are the folders that workers may read: the roots, and for each that is
// reached by a link the folder itself, because the paths of registered files have no
// links in their folders.
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
