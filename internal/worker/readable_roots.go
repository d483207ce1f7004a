package worker

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/balerhq/baler/tasks"
)

// ErrNoRoots is the error of a process that needs BALER_ROOTS before it may read files.
var ErrNoRoots = errors.New("set BALER_ROOTS (--roots) to the folders that workers may read")

// ReadableRoots returns the folders that workers may read: the roots, and the real folder
// of each root that is a link, because the paths of registered files contain no links to
// folders.
func ReadableRoots(roots []string) []string {
	all := slices.Clone(roots)
	for _, root := range roots {
		if tasks.IsObject(root) {
			continue
		}
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
