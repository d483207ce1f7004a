package scan

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/balerhq/baler/tasks"
)

// OpenFunc opens a file to be split.
type OpenFunc func(path string) (Content, error)

// Content is what a file holds.
type Content interface {
	io.ReaderAt
	io.Closer
}

// SplitFile emits a file of lines in chunks of about the wanted size, in bytes. It emits
// a compressed file as a whole, and a file that cannot be read with its ScanError. When
// last is a chunk of f, SplitFile emits only the chunks after it, which continues an
// interrupted split.
//
// It uses little memory. It returns errors of emit, of ctx and of reading.
func SplitFile(ctx context.Context, open OpenFunc, f, last tasks.File, wanted int64, emit func(tasks.File) error) error {
	if f.ScanError != "" {
		return emit(f)
	}
	r, err := open(f.Path)
	if err != nil {
		f.ScanError = scanError(err)
		return emit(f)
	}
	defer func() { _ = r.Close() }() // only read from
	if last.Part > 0 && last.Path == f.Path {
		return splitRest(ctx, r, f, last, wanted, emit)
	}
	head := make([]byte, CompressionHeaderSize)
	n, err := r.ReadAt(head, 0)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		f.ScanError = scanError(err)
		return emit(f)
	case DetectCompression(head[:n]) != NoCompression:
		return emit(f)
	}
	if err := splitLines(ctx, r, f, wanted, emit); err != nil {
		return fmt.Errorf("split %q: %w", f.Path, err)
	}
	return nil
}
