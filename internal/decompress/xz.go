package decompress

import (
	"bufio"
	"errors"
	"io"

	"github.com/ulikunitz/xz"
)

// XZ reads an xz file.
func XZ(r io.Reader) (io.Reader, error) {
	from := bufio.NewReaderSize(r, packedRead)
	head, err := from.Peek(xzHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if xzDictionary(head) > dictionaryBytes {
		return nil, errors.New("reading it takes more than 128 MiB of memory")
	}
	end := &xzEnd{from: from}
	content, err := xz.NewReader(end)
	if err != nil {
		return nil, err
	}
	return xzReader{content, end}, nil
}

// xzReader reads an xz file. The decoder accepts a file that is cut off between two
// blocks, so xzReader checks that the stream has an end.
type xzReader struct {
	content io.Reader
	end     *xzEnd
}

// Read implements io.Reader.
func (x xzReader) Read(p []byte) (int, error) {
	n, err := x.content.Read(p)
	if errors.Is(err, io.EOF) && string(x.end.last[:]) != "YZ" { // The .xz File Format, section 2.1.2.4
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// xzEnd records the last bytes that the decoder has read, except for zeros, which may pad
// a file.
type xzEnd struct {
	from io.Reader
	last [2]byte
}

// Read implements io.Reader.
func (x *xzEnd) Read(p []byte) (int, error) {
	n, err := x.from.Read(p)
	for _, b := range p[max(0, n-len(x.last)):n] {
		if b != 0 {
			x.last = [2]byte{x.last[1], b}
		}
	}
	return n, err
}

// xzHead is how many bytes xzDictionary needs.
const xzHead = 64

// xzDictionary is the size of the dictionary of the first block of an xz stream, in
// bytes, or 0 when the head does not show it (The .xz File Format, sections 3.1 and
// 5.3.1).
func xzDictionary(head []byte) int64 {
	const streamHeader, lzma2 = 12, 0x21
	if len(head) < streamHeader+2 {
		return 0
	}
	flags, rest := head[streamHeader+1], head[streamHeader+2:]
	for _, sized := range []byte{0x40, 0x80} { // the compressed and the uncompressed size
		for flags&sized != 0 && len(rest) > 0 {
			more := rest[0]&0x80 != 0
			if rest = rest[1:]; !more {
				break
			}
		}
	}
	if len(rest) < 3 || rest[0] != lzma2 || rest[1] != 1 {
		return 0
	}
	bits := int64(rest[2] & 0x3f)
	return (2 | bits&1) << (bits/2 + 11)
}
