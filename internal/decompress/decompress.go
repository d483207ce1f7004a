// Package decompress reads compressed streams, so that one that is cut off, or that asks for
// too much memory, is an error.
package decompress

import (
	"bufio"
	"compress/bzip2"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// dictionaryBytes limits the memory that a zstd or xz stream can make its decoder
// allocate, in bytes. The output of zstd --ultra and xz -9e needs less.
const dictionaryBytes = 128 << 20

// packedRead is how many bytes of compressed content are read at a time.
const packedRead = 64 << 10

// ErrTrailingData says that other data stands behind the end of a gzip file. All content
// before it has been read, with right checksums.
var ErrTrailingData = errors.New("behind the end of the gzip data stands something else")

// gzipReader reads the members of a gzip file one after the other. A member may be
// followed by zeros, which tapes and block devices add.
type gzipReader struct {
	from   *bufio.Reader
	member *gzip.Reader
}

// Gzip reads a gzip file.
func Gzip(r io.Reader) (io.Reader, error) {
	from := bufio.NewReaderSize(r, packedRead)
	member, err := gzip.NewReader(from)
	if err != nil {
		return nil, err
	}
	member.Multistream(false)
	return &gzipReader{from, member}, nil
}

// Read implements io.Reader.
func (g *gzipReader) Read(p []byte) (int, error) {
	n, err := g.member.Read(p)
	if errors.Is(err, io.EOF) {
		err = g.next()
	}
	return n, err
}

// next begins the next member. The error is io.EOF when there is none.
func (g *gzipReader) next() error {
	for {
		b, err := g.from.ReadByte()
		if err != nil {
			return err
		}
		if b != 0 {
			break
		}
	}
	if err := g.from.UnreadByte(); err != nil {
		return err
	}
	const first, second = 0x1f, 0x8b
	if head, _ := g.from.Peek(2); head[0] != first || len(head) > 1 && head[1] != second {
		return ErrTrailingData
	}
	if err := g.member.Reset(g.from); err != nil {
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	g.member.Multistream(false)
	return nil
}

// Zstd reads a zstd stream. The function releases the memory of the decoder.
func Zstd(r io.Reader) (io.Reader, func(), error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(dictionaryBytes))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// Bzip2 reads a bzip2 stream.
func Bzip2(r io.Reader) io.Reader {
	return bzip2.NewReader(bufio.NewReaderSize(r, packedRead))
}
