package identify

import "io"

// ends shows the beginning and the end of a large file as one file, without what is
// between them. Offsets in the beginning are those in the file, and so are offsets
// from the end.
type ends struct {
	file       io.ReaderAt
	head, tail int64
	gap        int64 // bytes between them
}

// newEnds shows total bytes of a file of that size, which is larger.
func newEnds(file io.ReaderAt, size, total int64) *ends {
	head := total / 8 // signatures at the beginning are short; an index at the end may be long
	return &ends{file: file, head: head, tail: total - head, gap: size - total}
}

func (e *ends) size() int64 { return e.head + e.tail }

// ReadAt reads across the gap.
func (e *ends) ReadAt(p []byte, off int64) (n int, err error) {
	if off < e.head {
		n, err = e.file.ReadAt(p[:min(int64(len(p)), e.head-off)], off)
		if err != nil || n == len(p) {
			return n, err
		}
	}
	m, err := e.file.ReadAt(p[n:], off+int64(n)+e.gap)
	return n + m, err
}
