package tasks

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
)

// ListMark identifies the first paths of a list, in their order. The zero value is that of
// no path.
type ListMark struct {
	Paths  int64
	Digest [sha256.Size]byte
}

// Next is the mark of the list with one more path. A relative path is one of the working
// directory.
func (m ListMark) Next(path string) (ListMark, error) {
	if !IsObject(path) {
		abs, err := filepath.Abs(path)
		if err != nil {
			return m, fmt.Errorf("resolve %s: %w", path, err)
		}
		path = abs
	}
	// A chain: the digest before has a fixed length, so no two lists have the same input.
	return ListMark{Paths: m.Paths + 1, Digest: sha256.Sum256(append(m.Digest[:], path...))}, nil
}

// Hex is the digest in hexadecimal digits; empty when there is no path.
func (m ListMark) Hex() string {
	if m.Paths == 0 {
		return ""
	}
	return hex.EncodeToString(m.Digest[:])
}

// ParseListMark makes a mark of its number of paths and the text of Hex.
func ParseListMark(paths int64, digest string) (m ListMark, err error) {
	if paths == 0 && digest == "" {
		return m, nil
	}
	raw, err := hex.DecodeString(digest)
	if err != nil || len(raw) != len(m.Digest) || paths < 1 {
		return m, fmt.Errorf("%d paths with the digest %q: want at least one path, and %d hexadecimal digits", paths, digest, 2*len(m.Digest))
	}
	return ListMark{Paths: paths, Digest: [sha256.Size]byte(raw)}, nil
}

// Difference says in what the list of a transfer, whose mark m is, is not that of now; ""
// when both are the same.
func (m ListMark) Difference(now ListMark) string {
	switch {
	case m == now:
		return ""
	case m.Paths == 0:
		return fmt.Sprintf("an empty list, or files that were not submitted as a list, not a list of %d paths", now.Paths)
	case m.Paths == now.Paths:
		return fmt.Sprintf("other paths in its list of %d, or the same in another order", m.Paths)
	}
	paths := "paths"
	if m.Paths == 1 {
		paths = "path"
	}
	return fmt.Sprintf("a list of %d %s, not of %d", m.Paths, paths, now.Paths)
}
