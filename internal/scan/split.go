package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/balerhq/baler/tasks"
)

// splitRead is how much is read at a time: enough for counting at the speed of
// memory, little enough to stay in the cache.
const splitRead = 256 << 10

// splitLines emits the parts of a file of lines, each a copy of f with its Part,
// Offset, Size and Line. A part ends with the line in which it reaches the size
// wanted, so one is never smaller, but for the last, and larger by what its last
// line has too much. Together the parts are all of the file, each byte once; an
// empty file is one empty part. The file ends where the scan saw its end, or
// where it ends now when that is sooner.
func splitLines(ctx context.Context, r io.ReaderAt, f tasks.File, wanted int64, emit func(tasks.File) error) error {
	s := splitter{r: r, end: f.Size, emit: emit, buffer: make([]byte, splitRead), part: f}
	s.part.Part, s.part.Offset, s.part.Size, s.part.Line = 1, 0, 0, 1
	return s.run(ctx, wanted)
}

// splitRest emits the parts of f that come behind last, one of its parts.
func splitRest(ctx context.Context, r io.ReaderAt, f, last tasks.File, wanted int64, emit func(tasks.File) error) error {
	s := splitter{r: r, end: f.Size, emit: emit, buffer: make([]byte, splitRead), part: f}
	end := last.Offset + last.Size
	lines, err := s.count(ctx, last.Offset, end)
	if err != nil || end >= s.end {
		return err
	}
	s.part.Part, s.part.Offset, s.part.Size, s.part.Line = last.Part+1, end, 0, last.Line+lines
	return s.run(ctx, wanted)
}

// splitter walks through one file. Part is the one that grows.
type splitter struct {
	r      io.ReaderAt
	end    int64
	emit   func(tasks.File) error
	buffer []byte
	part   tasks.File
	lines  int64 // that have ended in the part
}

func (s *splitter) run(ctx context.Context, wanted int64) error {
	emitted := false
	for at := s.part.Offset; ; {
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
	if s.part.Size > 0 || !emitted {
		return s.put()
	}
	return nil
}

// take gives the part as many bytes as belong to it, and says whether it is whole then.
func (s *splitter) take(b []byte, wanted int64) (n int, whole bool) {
	// Up to one byte before the size wanted no line end matters.
	free := min(max(0, wanted-1-s.part.Size), int64(len(b)))
	n = len(b)
	if end := bytes.IndexByte(b[free:], '\n'); end >= 0 {
		n, whole = int(free)+end+1, true
	}
	s.lines += int64(bytes.Count(b[:n], []byte{'\n'}))
	s.part.Size += int64(n)
	return n, whole
}

func (s *splitter) put() error {
	if err := s.emit(s.part); err != nil {
		return err
	}
	s.part.Part++
	s.part.Line += s.lines
	s.part.Offset += s.part.Size
	s.part.Size, s.lines = 0, 0
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

// read gives what comes at a place, nothing at the end.
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
