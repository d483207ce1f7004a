package load

import (
	"errors"
	"fmt"
	"io"

	"github.com/balerhq/baler/internal/decompress"
	"github.com/balerhq/baler/internal/scan"
)

// ErrCompressed means that compressed content is damaged or ends early.
var ErrCompressed = errors.New("the compressed content is damaged")

// ErrFormat means that load cannot read the format of the content.
var ErrFormat = errors.New("load cannot read this format")

// LineReader is a file's content without its compression.
type LineReader struct {
	io.Reader
	Compression scan.Compression
	close       func()
}

// OpenLines detects the compression of r by its first bytes, and decompresses it. The
// error wraps ErrCompressed for damaged content, and ErrFormat for a compression that load
// does not support. Close of the result releases memory; it does not close r.
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
	if err = c.decompress(r); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *LineReader) decompress(r io.Reader) (err error) {
	switch c.Compression {
	case scan.NoCompression:
		return nil
	case scan.Gzip:
		r, err = decompress.Gzip(r)
	case scan.Zstandard:
		r, c.close, err = decompress.Zstd(r)
	case scan.Bzip2:
		r = decompress.Bzip2(r)
	case scan.XZ:
		r, err = decompress.XZ(r)
	default:
		return fmt.Errorf("%w: it is compressed with %s; decompress it, or compress it with gzip, zstd, bzip2 or xz", ErrFormat, c.Compression)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCompressed, err)
	}
	c.Reader = marked{r}
	return nil
}

// Close releases the memory of the decoder.
func (c *LineReader) Close() { c.close() }

// marked is a reader that wraps the errors of a decoder in ErrCompressed.
type marked struct{ r io.Reader }

func (m marked) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrCompressed, err)
	}
	return n, err
}
