package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/balerhq/baler/config"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/tasks"
)

// selectionFlags say which of the files below the paths are registered.
type selectionFlags struct {
	selection    tasks.Selection
	excludeFiles []string // files with patterns
	minSize      config.Size
	maxSize      config.Size
	newer        string
}

func (f *selectionFlags) add(cmd *cobra.Command) {
	flags, s := cmd.Flags(), &f.selection
	flags.StringArrayVar(&s.Include, "include", nil, "register only files that match `PATTERN`, or in folders that do, as in .gitignore")
	flags.StringArrayVar(&s.Exclude, "exclude", nil, "leave out files and folders that match `PATTERN`; takes precedence over --include")
	flags.StringArrayVar(&f.excludeFiles, "exclude-from", nil,
		"leave out files and folders that match a pattern in `FILE`, in the format of .gitignore")
	flags.BoolVar(&s.IgnoreCase, "ignore-case", false, "make patterns ignore the case of letters")
	flags.Var(sizeValue{&f.minSize}, "min-size", "leave out files below `SIZE`, such as 1 or 10MiB")
	flags.Var(sizeValue{&f.maxSize}, "max-size", "leave out files above `SIZE`")
}

func (f *selectionFlags) addNewer(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.newer, "newer", "",
		"leave out files that were not modified after `TIME`: a date, a time of RFC 3339, or a file for its modification time")
}

// get reads the files with patterns and checks the values.
func (f *selectionFlags) get() (tasks.Selection, error) {
	s := f.selection
	for _, path := range f.excludeFiles {
		patterns, err := readPatterns(path)
		if err != nil {
			return s, err
		}
		s.Exclude = append(s.Exclude, patterns...)
	}
	s.MinSize, s.MaxSize = int64(f.minSize), int64(f.maxSize)
	if s.MaxSize > 0 && s.MinSize > s.MaxSize {
		return s, usagef("--min-size %d is above --max-size %d: no file is selected", s.MinSize, s.MaxSize)
	}
	if f.newer != "" {
		var err error
		if s.NewerThan, err = timeOrFile(f.newer); err != nil {
			return s, err
		}
	}
	if _, err := scan.NewSelector(s); err != nil {
		return s, usageError{err}
	}
	return s, nil
}

func readPatterns(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--exclude-from: %w", err)
	}
	patterns, err := scan.ReadPatterns(f)
	_ = f.Close() // only read from
	if err != nil {
		return nil, fmt.Errorf("--exclude-from %s: %w", path, err)
	}
	return patterns, nil
}

// timeOrFile reads a time, or the modification time of a file.
func timeOrFile(text string) (time.Time, error) {
	// A time without a zone is local time.
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil { //nolint:gosmopolitan // see above
			return t, nil
		}
	}
	info, err := os.Stat(text)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return time.Time{}, usagef("--newer %q is not a time such as 2026-01-31 or 2026-01-31T08:00:00Z, and no such file exists", text)
	case err != nil:
		return time.Time{}, fmt.Errorf("--newer: %w", err)
	}
	return info.ModTime(), nil
}

// sizeValue is a flag's number of bytes, with or without a unit.
type sizeValue struct{ to *config.Size }

func (v sizeValue) Set(s string) error {
	n, err := config.ParseSize(s)
	if err != nil {
		return err
	}
	*v.to = n
	return nil
}

func (v sizeValue) String() string {
	if v.to == nil || *v.to == 0 {
		return ""
	}
	return v.to.String()
}

// Type names the kind of value to cobra.
func (sizeValue) Type() string { return "size" }
