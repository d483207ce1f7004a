package tasks

import (
	"fmt"
	"strings"
	"time"
)

// Selection says which of the files at and below the sources belong to a transfer. Its
// zero value selects all of them.
//
// Patterns have the syntax of gitignore (https://git-scm.com/docs/gitignore#_pattern_format).
// They match paths relative to the source; the source itself is never matched. A source
// that is a file is matched by its name, and a path of a list as a whole.
type Selection struct {
	// Include selects the files that match a pattern, or that lie in a folder that does.
	// None selects all.
	Include []string `json:"include,omitempty"`

	// Exclude leaves out files and whole folders. It wins over Include. A pattern that
	// begins with ! takes back what an earlier one leaves out.
	Exclude []string `json:"exclude,omitempty"`

	IgnoreCase bool      `json:"ignore_case,omitempty"` // of letters, in patterns and paths
	MinSize    int64     `json:"min_size,omitempty"`    // in bytes
	MaxSize    int64     `json:"max_size,omitempty"`    // in bytes; 0: no limit
	NewerThan  time.Time `json:"newer_than,omitzero"`   // modified after it; zero: whenever
}

// All reports whether the selection selects every file.
func (s *Selection) All() bool {
	return len(s.Include) == 0 && len(s.Exclude) == 0 && s.MinSize == 0 && s.MaxSize == 0 && s.NewerThan.IsZero()
}

// String is the selection as the flags of submit say it, or "all files".
func (s Selection) String() string {
	var flags []string
	for _, p := range s.Include {
		flags = append(flags, fmt.Sprintf("--include %q", p))
	}
	for _, p := range s.Exclude {
		flags = append(flags, fmt.Sprintf("--exclude %q", p))
	}
	if s.IgnoreCase && len(flags) > 0 {
		flags = append(flags, "--ignore-case")
	}
	if s.MinSize > 0 {
		flags = append(flags, fmt.Sprintf("--min-size %d", s.MinSize))
	}
	if s.MaxSize > 0 {
		flags = append(flags, fmt.Sprintf("--max-size %d", s.MaxSize))
	}
	if !s.NewerThan.IsZero() {
		flags = append(flags, "--newer "+s.NewerThan.UTC().Format(time.RFC3339Nano))
	}
	if len(flags) == 0 {
		return "all files"
	}
	return strings.Join(flags, " ")
}
