// Package bagit verifies bags: folders of files with their digests, or such folders as one
// zip, tar or tar.gz, in the format of
// BagIt 0.93 to 1.0 (RFC 8493, https://www.rfc-editor.org/rfc/rfc8493).
package bagit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

// Problem is an error or a warning about a bag.
type Problem struct {
	Path    string `json:"path,omitempty"` // in the bag; empty for the bag as a whole
	Message string `json:"message"`
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// Verification is the result of Verify. A bag without Errors is valid: it is complete, and
// every file has the digests in the manifests. Warnings do not make a bag invalid.
type Verification struct {
	Version    string    // of BagIt; empty when it cannot be read
	Files      int64     // of the payload
	Bytes      int64     // their sizes
	Algorithms []string  // of the payload's manifests, such as sha256
	Errors     []Problem // in order of path
	Warnings   []Problem
}

// Valid reports whether the bag is valid.
func (r *Verification) Valid() bool { return len(r.Errors) == 0 }

// Options configures Verify. The zero value is ready to use.
type Options struct {
	Parallel    int                      // files that are read at a time; at least 1
	MaxUnpacked int64                    // bytes that the files of an archive may have in all; 0 is 1 TiB
	OnProgress  func(files, bytes int64) // called after each file, by one goroutine at a time; may be nil
}

// bag is a bag that is being verified.
type bag struct {
	root       tree
	version    version
	encoding   string          // of tag files
	misencoded map[string]bool // tag files with a line that is not in the encoding

	payloadThere bool // the folder data

	payload  map[string]int64  // sizes of the files in data, by path in the bag
	tagFiles map[string]int64  // sizes of the other files
	names    map[string]string // by folded name: a path of the bag, see fold

	expected map[string]*expectation // by path in the bag
	fetched  map[string]bool         // the paths that fetch.txt lists

	mu     sync.Mutex
	report Verification
}

// Verify verifies the bag in a folder or an archive. It returns an error only when it cannot
// be read at all, or ctx ends. It does not follow symbolic links, and unpacks nothing to disk.
func Verify(ctx context.Context, path string, opts Options) (Verification, error) {
	root, err := openTree(ctx, path, opts.MaxUnpacked)
	if err != nil {
		return Verification{}, fmt.Errorf("verify bag: %w", err)
	}
	defer root.Close() // nothing is written
	b := &bag{
		root: root, payload: map[string]int64{}, tagFiles: map[string]int64{}, names: map[string]string{},
		expected: map[string]*expectation{}, fetched: map[string]bool{},
	}
	if err := b.list(ctx); err != nil {
		return Verification{}, fmt.Errorf("verify bag: %w", err)
	}
	if b.declaration() {
		b.readFetch()
		b.readManifests()
		b.checkComplete()
		b.readInfo()
		if err := b.checkDigests(ctx, opts); err != nil {
			return Verification{}, fmt.Errorf("verify bag: %w", err)
		}
	}
	byPath := func(x, y Problem) int { return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Message, y.Message)) }
	slices.SortFunc(b.report.Errors, byPath)
	slices.SortFunc(b.report.Warnings, byPath)
	return b.report, nil
}

// wrongf adds an error to the report.
func (b *bag) wrongf(path, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report.Errors = append(b.report.Errors, Problem{path, fmt.Sprintf(format, args...)})
}

// oddf adds a warning to the report.
func (b *bag) oddf(path, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.report.Warnings = append(b.report.Warnings, Problem{path, fmt.Sprintf(format, args...)})
}
