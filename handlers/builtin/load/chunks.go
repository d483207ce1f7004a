package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/balerhq/baler/internal/tableload"
	"github.com/balerhq/baler/tasks"
)

// The length of a section, which one transaction loads, limits memory and the time
// that locks are held. The longest line is longer than what fits into a row.
const (
	sectionBytes = 4 << 20
	lineBytes    = 8 << 20
)

// section is a sequence of whole lines.
type section struct {
	at      int64 // in the content
	line    int64 // number of its first line
	data    []byte
	size    int64 // bytes of content; larger than the data only for a single line that is too long
	tooLong bool

	earlier *tableload.EarlierSection // another transfer has loaded the same bytes; nil: none has
	newest  *tableload.EarlierSection // the chunk that another transfer has loaded last at this offset, with any content
}

// sections cuts a stream into sections. The next one may be read while others are in
// use, because each has its own buffer.
type sections struct {
	r       io.Reader
	wanted  int // length of a section
	longest int // length of a line
	at      int64
	line    int64
	rest    []byte // bytes that were read but are not part of a section yet
	err     error  // the error with which the stream ended
}

func newSections(r io.Reader, line int64) *sections {
	return &sections{r: r, wanted: sectionBytes, longest: lineBytes, line: line}
}

// skip skips content that is loaded already.
func (s *sections) skip(size, lines int64) error {
	buffered := min(size, int64(len(s.rest)))
	s.rest = s.rest[buffered:]
	s.at += size
	s.line += lines
	left := size - buffered
	if left == 0 {
		return nil
	}
	if seeker, ok := s.r.(io.Seeker); ok {
		_, err := seeker.Seek(left, io.SeekCurrent)
		return err
	}
	_, err := io.CopyN(io.Discard, s.r, left)
	if errors.Is(err, io.EOF) && !errors.Is(err, ErrCompressed) {
		err = fmt.Errorf("%w: it is shorter now", ErrChanged)
	}
	return err
}

// next fills a buffer with the next section; the error is io.EOF when there is none.
// Before any other error it returns all whole lines that precede it.
func (s *sections) next(buffer []byte) (section, error) {
	buffer = append(buffer[:0], s.rest...)
	s.rest = nil
	for searched := 0; ; {
		if end := s.cut(buffer, searched); end > 0 {
			return s.emit(buffer, end), nil
		}
		searched = len(buffer)
		if s.err != nil {
			return s.last(buffer)
		}
		if len(buffer) > s.longest {
			if start := bytes.LastIndexByte(buffer, '\n') + 1; start == 0 {
				return s.long(buffer)
			} else if len(buffer)-start > s.longest {
				return s.emit(buffer, start), nil
			}
		}
		buffer = s.read(buffer)
	}
}

// cut returns where a section ends: after the line in which it reaches its length, or 0
// when the buffer does not hold the end of that line yet. It does not search the first
// searched bytes again.
func (s *sections) cut(buffer []byte, searched int) int {
	from := max(s.wanted-1, searched)
	if len(buffer) <= from {
		return 0
	}
	end := bytes.IndexByte(buffer[from:], '\n')
	if end < 0 {
		return 0
	}
	return from + end + 1
}

// read reads from the stream once, and appends to the buffer.
func (s *sections) read(buffer []byte) []byte {
	const piece = 256 << 10
	if cap(buffer)-len(buffer) < piece {
		buffer = append(make([]byte, 0, max(2*cap(buffer), s.wanted+2*piece)), buffer...)
	}
	n, err := s.r.Read(buffer[len(buffer) : len(buffer)+piece])
	s.err = err
	return buffer[:len(buffer)+n]
}

// emit makes a section of the bytes before end, and keeps the rest.
func (s *sections) emit(buffer []byte, end int) section {
	s.rest = bytes.Clone(buffer[end:])
	sec := section{at: s.at, line: s.line, data: buffer[:end], size: int64(end)}
	s.at += sec.size
	s.line += int64(bytes.Count(sec.data, []byte{'\n'}))
	return sec
}

// last makes a section of the whole lines of the rest after the stream has ended. A last
// line without a line end becomes a section of its own, because it may become longer when
// the file grows; a line that an error cut off is dropped.
func (s *sections) last(buffer []byte) (section, error) {
	end := bytes.LastIndexByte(buffer, '\n') + 1
	whole := errors.Is(s.err, io.EOF) && !errors.Is(s.err, ErrCompressed)
	if end == 0 && whole {
		end = len(buffer)
	}
	if end == 0 {
		return section{}, s.err
	}
	sec := s.emit(buffer, end)
	if !whole {
		s.rest = nil
	}
	return sec, nil
}

// long makes a section of a line that is too long. The buffer holds its beginning; the
// rest is skipped.
func (s *sections) long(buffer []byte) (section, error) {
	beginning := bytes.Clone(buffer[:min(len(buffer), tasks.MaxRejectLen)])
	sec := section{at: s.at, line: s.line, data: beginning, size: int64(len(buffer)), tooLong: true}
	for buffer = buffer[:0]; s.err == nil; buffer = buffer[:0] {
		buffer = s.read(buffer)
		end := bytes.IndexByte(buffer, '\n')
		if end >= 0 {
			sec.size += int64(end) + 1
			s.rest = bytes.Clone(buffer[end+1:])
			break
		}
		sec.size += int64(len(buffer))
	}
	if s.err != nil && !errors.Is(s.err, io.EOF) && s.rest == nil {
		return section{}, s.err
	}
	s.at += sec.size
	s.line++
	return sec, nil
}
