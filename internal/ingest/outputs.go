package ingest

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// ErrOutputInSource says that a final step would write a folder into a source.
var ErrOutputInSource = errors.New("a final step would write into a source")

// ErrOutputIsObject says that a final step would write into object storage.
var ErrOutputIsObject = errors.New("final steps write files, not into object storage")

// PlannedOutput is what a final step is to write.
type PlannedOutput struct {
	Step, Path string
	Folder     bool
	OfTransfer bool // the path is relative: it lies in a folder that is named for the transfer
}

// WrittenOutput is what a final step has written.
type WrittenOutput struct {
	Step, Path string
	Info       fs.FileInfo // of Path, as it is now
}

// CheckOutputs reports folders that are to be written inside a source, around one or in
// its place: the next run would find them there. Files inside sources are returned, so
// that no run takes them for new ones. One in a folder of the transfer is refused there: the
// next transfer has another folder, and would find it.
func CheckOutputs(sources []string, outputs []PlannedOutput) (inside map[string]bool, err error) {
	inside = make(map[string]bool)
	for i := range outputs {
		o := &outputs[i]
		path := resolvedOutput(o.Path)
		for _, source := range sources {
			switch {
			case o.Folder && path == source:
				return nil, fmt.Errorf("%w: final step %s writes %s, which is a source: choose a folder outside the sources",
					ErrOutputInSource, o.Step, path)
			case o.Folder && Below(path, source):
				return nil, fmt.Errorf("%w: final step %s writes %s, which lies in the source %s, so the next run would find it there: "+
					"choose a folder outside the sources", ErrOutputInSource, o.Step, path, source)
			case o.Folder && Below(source, path):
				return nil, fmt.Errorf("%w: final step %s writes %s, which holds the source %s: choose a folder outside the sources",
					ErrOutputInSource, o.Step, path, source)
			case o.OfTransfer && Below(path, source):
				return nil, fmt.Errorf("%w: final step %s writes a relative path, so below the first folder in BALER_OUTPUTS, "+
					"which lies in the source %s, and the next run would find it there: "+
					"choose a folder outside the sources", ErrOutputInSource, o.Step, source)
			case Below(path, source):
				inside[path] = true
			}
		}
	}
	return inside, nil
}

// Below reports whether a clean path lies below a folder.
func Below(path, folder string) bool {
	separator := tasks.Separator(folder)
	return path != folder && strings.HasPrefix(path, strings.TrimSuffix(folder, separator)+separator)
}

// resolvedOutput resolves the symlinks on the way to a path that need not exist.
func resolvedOutput(path string) string {
	path = filepath.Clean(path)
	var rest []string
	for dir := path; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(append([]string{real}, rest...)...)
		}
		if dir == filepath.Dir(dir) {
			return path
		}
		rest = append([]string{filepath.Base(dir)}, rest...)
	}
}

// leavingOut passes on the files that are not in paths.
func leavingOut(paths map[string]bool, emit func(tasks.File) error) func(tasks.File) error {
	if len(paths) == 0 {
		return emit
	}
	return func(f tasks.File) error {
		if paths[f.Path] {
			return nil
		}
		return emit(f)
	}
}
