package watch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Each says what is a transfer.
type Each string

// The kinds of entries.
const (
	EachFile   Each = "file"   // each file, at every depth
	EachFolder Each = "folder" // each folder that lies in the watched one
)

// Settings say what to watch. Check completes them.
type Settings struct {
	Name   string // of the watch, by which several processes know that it is one; empty: the folder
	Folder string
	Each   Each // empty: EachFile

	Settle time.Duration // how long the size and the time of an entry must stay as they are
	Marker string        // says that an entry is complete; empty: none is needed. See marked.

	Done, Failed string // where entries are moved when their transfers have ended; empty: they stay

	Poll    time.Duration // how often to look; 0: when the system says that something has changed
	Hidden  bool          // submit hidden and temporary names too
	Exclude []string      // absolute paths in the folder that are not looked at
}

const (
	maxName = 255

	// DefaultSettle is the Settle of entries without a marker.
	DefaultSettle = 10 * time.Second

	// PollShares is how often a folder is looked at whose system sends no notifications.
	PollShares = 10 * time.Second
)

// Check makes the paths absolute, and tries whether the folders can be used.
func (s *Settings) Check() (err error) {
	if s.Each == "" {
		s.Each = EachFile
	}
	if s.Each != EachFile && s.Each != EachFolder {
		return fmt.Errorf("%q is no kind of entry; give file or folder", s.Each)
	}
	if s.Settle < 0 || s.Poll < 0 {
		return errors.New("a time cannot be negative")
	}
	if strings.ContainsAny(s.Marker, "/\x00") || s.Marker == "." || s.Marker == ".." {
		return fmt.Errorf("the marker %q is no name of a file", s.Marker)
	}
	if s.Folder, err = realFolder(s.Folder); err != nil {
		return err
	}
	// Outputs may be anywhere above the folder, which then is where they are allowed to be.
	s.Exclude = slices.DeleteFunc(slices.Clone(s.Exclude), func(out string) bool { return isIn(s.Folder, out) })
	if s.Name == "" {
		s.Name = s.Folder
	}
	if len(s.Name) > maxName || strings.ContainsRune(s.Name, 0) {
		return fmt.Errorf("the name of a watch has %d bytes at most", maxName)
	}
	for _, to := range []*string{&s.Done, &s.Failed} {
		if err := s.checkTarget(to); err != nil {
			return err
		}
	}
	return nil
}

func realFolder(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", path, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(real)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", path)
	}
	return real, err
}

// checkTarget makes a folder for entries that have ended, and tries to move a file there.
func (s *Settings) checkTarget(to *string) (err error) {
	if *to == "" {
		return nil
	}
	if err := os.MkdirAll(*to, 0o777); err != nil { //nolint:gosec // as mkdir does; the umask decides
		return fmt.Errorf("make the folder for what has ended: %w", err)
	}
	if *to, err = realFolder(*to); err != nil {
		return err
	}
	if isIn(s.Folder, *to) {
		return fmt.Errorf("%s is, or lies in, %s: what is moved there would be found again", s.Folder, *to)
	}
	s.Exclude = append(s.Exclude, *to)
	return tryMove(s.Folder, *to)
}

// tryMove moves a file of its own, because only that shows whether moving works.
func tryMove(from, to string) error {
	trial, err := os.CreateTemp(from, ".baler-watch-")
	if err != nil {
		return fmt.Errorf("entries cannot be moved out of %s: %w", from, err)
	}
	moved := filepath.Join(to, filepath.Base(trial.Name()))
	err = errors.Join(trial.Close(), rename(trial.Name(), moved))
	if err != nil {
		return errors.Join(fmt.Errorf("entries cannot be moved to %s: %w", to, err), os.Remove(trial.Name()))
	}
	return os.Remove(moved)
}

// target is where an entry is moved; empty: it stays.
func (s *Settings) target(bad bool) string {
	if bad {
		return s.Failed
	}
	return s.Done
}

func (s *Settings) excluded(path string) bool {
	return slices.ContainsFunc(s.Exclude, func(out string) bool { return isIn(path, out) })
}

// isIn reports whether a path is a folder, or lies in it.
func isIn(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}
