package scan

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// link counts a symlink and reports it.
func (w *walker) link(path, resolved string) {
	w.report.Links++
	if w.onSkipped != nil {
		w.onSkipped(SkippedEntry{Path: path, Reason: SkipSymlink, Detail: w.leads(path, resolved)})
	}
}

// special counts an entry without content and reports it.
func (w *walker) special(path string, mode fs.FileMode) {
	w.report.Specials++
	if w.onSkipped != nil {
		w.onSkipped(SkippedEntry{Path: path, Reason: SkipSpecial, Detail: specialName(mode)})
	}
}

// leads describes where a symlink leads; resolved is its path with the symlinks of its
// folder resolved.
func (w *walker) leads(path, resolved string) string {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		target, _ := os.Readlink(path) // empty when it cannot be read
		return fmt.Sprintf("broken: %q", target)
	case errors.Is(err, syscall.ELOOP):
		target, _ := os.Readlink(path) // empty when it cannot be read
		return fmt.Sprintf("loops: %q", target)
	case err != nil:
		return scanError(err)
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return scanError(err)
	}
	_, back := above(resolved, map[string]bool{target: info.IsDir()})
	_, inside := above(target, w.within)
	switch {
	case back: // following it would reach the link again
		return fmt.Sprintf("loops: %q", target)
	case inside || w.within[target]:
		return fmt.Sprintf("stays inside: %q", target)
	}
	return fmt.Sprintf("leads out of the sources: %q", target)
}

// SpecialName names the type of a path that is neither a file nor a directory, such as a
// socket. It follows symlinks. It is empty for files, directories and paths that cannot
// be inspected.
func SpecialName(path string) string {
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() || info.IsDir() {
		return ""
	}
	return specialName(info.Mode())
}

func specialName(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeCharDevice != 0:
		return "character device"
	case mode&fs.ModeDevice != 0:
		return "block device"
	}
	return "neither file nor directory"
}
