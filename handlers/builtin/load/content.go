package load

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/balerhq/baler/internal/scan"
)

// ErrCompressed means that compressed content is damaged or ends early.
var ErrCompressed = errors.New("the compressed content is damaged")

// zstdWindow limits the memory that a zstd stream can make the decoder allocate, in
// bytes. zstd --ultra needs less.
const zstdWindow = 128 << 20

// LineReader is a file's content without its compression.
type LineReader struct {
	io.Reader
	Compression scan.Compression
	close       func()
}

// OpenLines detects the compression of r by its first bytes, and decompresses it.
// Errors of the compression wrap ErrCompressed. Close releases memory; it does not
// close r.
func OpenLines(r io.ReadSeeker) (*LineReader, error) {
	head := make([]byte, scan.CompressionHeaderSize)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	c := &LineReader{Reader: r, Compression: scan.DetectCompression(head[:n]), close: func() {}}
	switch c.Compression {
	case scan.Gzip:
		err = c.gzip(r)
	case scan.Zstandard:
		err = c.zstd(r)
	case scan.NoCompression:
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCompressed, err)
	}
	return c, nil
}

func (c *LineReader) gzip(r io.Reader) error {
	z, err := gzip.NewReader(r)
	c.Reader = marked{z}
	return err
}

func (c *LineReader) zstd(r io.Reader) error {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
	if err != nil {
		return err
	}
	c.Reader, c.close = marked{z}, z.Close
	return nil
}

// Close releases the memory of the decoder.
func (c *LineReader) Close() { c.close() }

// marked wraps the errors of a decoder in ErrCompressed.
type marked struct{ r io.Reader }

func (m marked) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrCompressed, err)
	}
	return n, err
}
