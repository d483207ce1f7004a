package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/balerhq/baler/tasks"
)

// splitRead is how many bytes are read at a time: enough for speed, and few enough to
// stay in the processor's cache.
const splitRead = 256 << 10

// splitLines emits the chunks of a file of lines, each a copy of f with its Part,
// Offset, Size and Line. A chunk ends with the line in which it reaches the wanted size,
// in bytes, so only the last chunk can be smaller. The chunks together are the whole
// file, each byte once; an empty file is one empty chunk. The file ends at the size that
// the scan read, or at its present end if that is earlier.
func splitLines(ctx context.Context, r io.ReaderAt, f tasks.File, wanted int64, emit func(tasks.File) error) error {
	s := splitter{r: r, end: f.Size, emit: emit, buffer: make([]byte, splitRead), chunk: f}
	s.chunk.Part, s.chunk.Offset, s.chunk.Size, s.chunk.Line = 1, 0, 0, 1
	return s.run(ctx, wanted)
}

// splitRest emits the chunks of f that follow its chunk last.
func splitRest(ctx context.Context, r io.ReaderAt, f, last tasks.File, wanted int64, emit func(tasks.File) error) error {
	s := splitter{r: r, end: f.Size, emit: emit, buffer: make([]byte, splitRead), chunk: f}
	end := last.Offset + last.Size
	lines, err := s.count(ctx, last.Offset, end)
	if err != nil || end >= s.end {
		return err
	}
	s.chunk.Part, s.chunk.Offset, s.chunk.Size, s.chunk.Line = last.Part+1, end, 0, last.Line+lines
	return s.run(ctx, wanted)
}

// splitter reads one file from an offset to its end.
type splitter struct {
	r      io.ReaderAt
	end    int64
	emit   func(tasks.File) error
	buffer []byte
	chunk  tasks.File // the current chunk
	lines  int64      // line ends in it
}

func (s *splitter) run(ctx context.Context, wanted int64) error {
	emitted := false
	for at := s.chunk.Offset; ; {
		b, err := s.read(ctx, at, s.end)
		if err != nil {
			return err
		}
		if len(b) == 0 {
			break
		}
		at += int64(len(b))
		for len(b) > 0 {
			n, whole := s.take(b, wanted)
			b = b[n:]
			if whole {
				emitted = true
				if err := s.put(); err != nil {
					return err
				}
			}
		}
	}
	if s.chunk.Size > 0 || !emitted {
		return s.put()
	}
	return nil
}

// take adds the bytes of b that belong to the chunk, and reports whether it is complete.
func (s *splitter) take(b []byte, wanted int64) (n int, whole bool) {
	// The chunk cannot end before it is one byte short of the wanted size.
	free := min(max(0, wanted-1-s.chunk.Size), int64(len(b)))
	n = len(b)
	if end := bytes.IndexByte(b[free:], '\n'); end >= 0 {
		n, whole = int(free)+end+1, true
	}
	s.lines += int64(bytes.Count(b[:n], []byte{'\n'}))
	s.chunk.Size += int64(n)
	return n, whole
}

func (s *splitter) put() error {
	if err := s.emit(s.chunk); err != nil {
		return err
	}
	s.chunk.Part++
	s.chunk.Line += s.lines
	s.chunk.Offset += s.chunk.Size
	s.chunk.Size, s.lines = 0, 0
	return nil
}

// count is the number of line ends in a range.
func (s *splitter) count(ctx context.Context, from, to int64) (lines int64, err error) {
	for {
		b, err := s.read(ctx, from, to)
		if err != nil || len(b) == 0 {
			return lines, err
		}
		lines += int64(bytes.Count(b, []byte{'\n'}))
		from += int64(len(b))
	}
}

// read reads at an offset. It returns nothing at the end.
func (s *splitter) read(ctx context.Context, at, end int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("split: %w", err)
	}
	n, err := s.r.ReadAt(s.buffer[:min(int64(len(s.buffer)), end-at)], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("split: %w", err)
	}
	return s.buffer[:n], nil
}
