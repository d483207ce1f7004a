package bagit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// defaultMaxUnpacked is how much the files of an archive may have in all: far more than a
// bag that people send as one file, and far less than what archives made to do harm claim.
const defaultMaxUnpacked = 1 << 40

// maxEntries is how many entries an archive may have: their names are kept in memory.
const maxEntries = 5_000_000

// errUnknownArchive says that a file is no archive that can hold a bag.
var errUnknownArchive = errors.New("the file is not a bag as zip, tar or tar.gz")

// openArchive opens a file by what it begins with.
func openArchive(ctx context.Context, file string, maxUnpacked int64) (tree, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	maxUnpacked = cmp.Or(maxUnpacked, defaultMaxUnpacked)
	const tarMagic = 257 // where "ustar" stands in a tar
	head := make([]byte, tarMagic+5)
	n, err := io.ReadFull(f, head)
	head = head[:n]
	var t tree
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		t, err = openZip(f, maxUnpacked)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		t, err = openTar(ctx, f, true, maxUnpacked)
	case bytes.HasSuffix(head, []byte("ustar")) && n == tarMagic+5:
		t, err = openTar(ctx, f, false, maxUnpacked)
	default:
		err = errUnknownArchive
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", file, err), f.Close())
	}
	return t, nil
}

// index is what an archive contains.
type index struct {
	entries  []entry // with their paths in the archive
	outside  []entry // whose names lead out of it, or are none
	known    map[string]bool
	unpacked int64
	most     int64
	top      string // the folder that holds the bag, with a slash; empty for none
}

func newIndex(maxUnpacked int64) *index {
	return &index{known: make(map[string]bool), most: maxUnpacked}
}

// add notes an entry, and reports whether it is a file that can be read. It returns an error
// when the archive is too large.
func (x *index) add(name string, size int64, folder, regular bool) (file bool, err error) {
	if x.unpacked += max(size, 0); x.unpacked > x.most || x.unpacked < 0 || size < 0 {
		return false, fmt.Errorf("its files have more than %d bytes in all: if you trust it, allow more with --max-unpacked", x.most)
	}
	if len(x.entries)+len(x.outside) >= maxEntries {
		return false, fmt.Errorf("it has more than %d entries", maxEntries)
	}
	clean := path.Clean(name)
	e := entry{path: clean, size: size, folder: folder}
	parts := strings.Split(name, "/")
	switch {
	case name == "" || strings.HasPrefix(name, "/") || slices.Contains(parts, ".."):
		x.outside = append(x.outside, entry{path: name, problem: "the name leads out of the archive"})
		return false, nil
	case strings.ContainsRune(name, 0):
		x.outside = append(x.outside, entry{path: name, problem: "the name contains a zero byte"})
		return false, nil
	case folder:
	case !regular:
		e.problem = "is neither a file nor a folder"
	case x.known[clean]:
		e.problem = "is in the archive twice"
	default:
		x.known[clean] = true
	}
	x.entries = append(x.entries, e)
	return e.problem == "" && !folder, nil
}

// finish finds the folder that holds the bag, and nothing beside it, as RFC 8493, section 4,
// demands.
func (x *index) finish() {
	top, several := "", false
	for _, e := range x.entries {
		if e.path == "." {
			continue
		}
		first, _, below := strings.Cut(e.path, "/")
		several = several || !below && !e.folder || top != "" && first != top
		top = first
	}
	if top != "" && !several {
		x.top = top + "/"
	}
}

func (x *index) list(ctx context.Context, do func(entry)) error {
	if x.top == "" {
		do(entry{problem: "the archive does not consist of one folder with the bag in it"})
	}
	for _, e := range x.outside {
		do(e)
	}
	for _, e := range x.entries {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e.path = strings.TrimPrefix(e.path, x.top)
		do(e)
	}
	return nil
}

// inArchive is the name in the archive of a file of the bag; an error when it does not exist.
func (x *index) inArchive(file string) (string, error) {
	name := x.top + file
	if !x.known[name] {
		return "", &fs.PathError{Op: "open", Path: file, Err: fs.ErrNotExist}
	}
	return name, nil
}
