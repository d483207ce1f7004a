package scan

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

// Selector decides which files of a scan a Selection selects. A nil Selector selects all.
// It is not safe for concurrent use.
type Selector struct {
	selection        tasks.Selection
	include, exclude []pattern

	folder         string // the folder of the last file
	folderIncluded bool   // whether Include matches it
}

// NewSelector compiles a selection. The error names the first invalid pattern.
func NewSelector(s tasks.Selection) (*Selector, error) {
	c := &Selector{selection: s}
	var err error
	if c.include, err = c.parse(s.Include); err != nil {
		return nil, err
	}
	for _, p := range c.include {
		if p.negated {
			return nil, errors.New("a pattern of --include does not begin with !; use --exclude to leave files out")
		}
	}
	if c.exclude, err = c.parse(s.Exclude); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Selector) parse(texts []string) ([]pattern, error) {
	patterns := make([]pattern, len(texts))
	for i, text := range texts {
		var err error
		if patterns[i], err = parsePattern(c.fold(text)); err != nil {
			return nil, err
		}
	}
	return patterns, nil
}

func (c *Selector) fold(s string) string {
	if c.selection.IgnoreCase {
		return strings.ToLower(s)
	}
	return s
}

// ReadPatterns reads the patterns of a file like .gitignore: one per line. It skips empty
// lines, lines that begin with #, and a byte order mark. An error about what the file holds
// begins with the number of the line.
func ReadPatterns(r io.Reader) (patterns []string, err error) {
	lines := bufio.NewScanner(r)
	no := 1
	for ; lines.Scan(); no++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if no == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if err := checkText(line); err != nil {
			return nil, fmt.Errorf("line %d %w", no, err)
		}
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "#") {
			if _, err := parsePattern(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", no, err)
			}
			patterns = append(patterns, line)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d is longer than a path can be", no)
	}
	return patterns, lines.Err()
}

// Why something is no pattern.
var (
	errHoldsNUL = errors.New("holds a NUL byte: a file of patterns is text in UTF-8, with one pattern per line")
	errNotUTF8  = errors.New("is not text in UTF-8: write ? for each byte of a name that is not")
)

func checkText(pattern string) error {
	switch {
	case strings.Contains(pattern, "\x00"):
		return errHoldsNUL
	case !utf8.ValidString(pattern):
		return errNotUTF8
	}
	return nil
}

// file reports whether a file is selected. rel is its path relative to the source.
func (c *Selector) file(rel string, f *tasks.File) bool {
	if c == nil {
		return true
	}
	rel = c.fold(filepath.ToSlash(rel))
	if f.ScanError != "" { // its type and its content are unknown
		return !excludes(c.exclude, rel, false) && !excludes(c.exclude, rel, true)
	}
	s := &c.selection
	if f.Size < s.MinSize || s.MaxSize > 0 && f.Size > s.MaxSize || !s.NewerThan.IsZero() && !f.MTime.After(s.NewerThan) {
		return false
	}
	return !excludes(c.exclude, rel, false) && c.includes(rel)
}

// ExcludesFolder reports whether a folder is left out with its content. rel is its path relative
// to the source.
func (c *Selector) ExcludesFolder(rel string) bool {
	return c != nil && excludes(c.exclude, c.fold(filepath.ToSlash(rel)), true)
}

// excludesBelow reports whether a path or a folder above it is left out.
func (c *Selector) excludesBelow(rel string, folder bool) bool {
	if c == nil || len(c.exclude) == 0 {
		return false
	}
	rel = c.fold(filepath.ToSlash(rel))
	for i, r := range rel {
		if r == '/' && i > 0 && excludes(c.exclude, rel[:i], true) {
			return true
		}
	}
	return excludes(c.exclude, rel, folder)
}

// excludes reports whether the last pattern that matches leaves the path out.
func excludes(patterns []pattern, path string, folder bool) bool {
	for i := len(patterns) - 1; i >= 0; i-- {
		if patterns[i].matches(path, folder) {
			return !patterns[i].negated
		}
	}
	return false
}

func (c *Selector) includes(rel string) bool {
	return len(c.include) == 0 || matchesAny(c.include, rel, false) || c.includesFolder(path.Dir(rel))
}

// includesFolder reports whether a folder, or one above it, matches a pattern.
func (c *Selector) includesFolder(dir string) bool {
	if dir == c.folder {
		return c.folderIncluded
	}
	c.folder, c.folderIncluded = dir, false
	for ; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if matchesAny(c.include, dir, true) {
			c.folderIncluded = true
			break
		}
	}
	return c.folderIncluded
}

func matchesAny(patterns []pattern, path string, folder bool) bool {
	for i := range patterns {
		if patterns[i].matches(path, folder) {
			return true
		}
	}
	return false
}
