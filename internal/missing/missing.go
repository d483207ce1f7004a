// Package missing counts the files that a finalizer has to leave out, and names
// the first of them.
package missing

import (
	"fmt"
	"strconv"
	"strings"
)

// named is how many files a message names.
const named = 5

// Files counts files and keeps the names of the first. The zero value is empty.
type Files struct {
	n     int64
	first []string
}

// Add counts a file.
func (f *Files) Add(path string) {
	f.n++
	if len(f.first) < named {
		f.first = append(f.first, strconv.Quote(path))
	}
}

// Len is how many there are.
func (f *Files) Len() int64 { return f.n }

// Message says how many of the transfer's files there are, what is wrong with
// them, and which they are: "2 of 9 files have no digest: …".
func (f *Files) Message(what string, of int64) string {
	names := strings.Join(f.first, ", ")
	if f.n > int64(len(f.first)) {
		names += ", …"
	}
	return fmt.Sprintf("%d of %d files %s: %s", f.n, of, what, names)
}
