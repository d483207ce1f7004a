package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/balerhq/baler/tasks"
)

// How content is cut into what is loaded in one transaction. The length of a
// section is of memory and of locks; that of a line is above what fits a row.
const (
	sectionBytes = 4 << 20
	lineBytes    = 8 << 20
)

// section is a run of whole lines.
type section struct {
	at      int64 // in the content
	line    int64 // number of its first line
	data    []byte
	size    int64 // bytes of content: those of data, unless it is one line that is too long
	tooLong bool
}

// sections cuts a stream into sections. The next one may be asked for while
// others are in use: each has its own buffer.
type sections struct {
	r       io.Reader
	wanted  int // length of a section
	longest int // line
	at      int64
	line    int64
	rest    []byte // read, and not given out yet
	err     error  // what the stream ended with
}

func newSections(r io.Reader, line int64) *sections {
	return &sections{r: r, wanted: sectionBytes, longest: lineBytes, line: line}
}

// skip passes over what is loaded already.
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

// next fills a buffer with the next section, io.EOF when there is none. After
// any other error the whole lines before it have been given out.
func (s *sections) next(buffer []byte) (section, error) {
	buffer = append(buffer[:0], s.rest...)
	s.rest = nil
	for searched := 0; ; {
		if end := s.cut(buffer, searched); end > 0 {
			return s.give(buffer, end), nil
		}
		searched = len(buffer)
		if s.err != nil {
			return s.last(buffer)
		}
		if len(buffer) > s.longest {
			if start := bytes.LastIndexByte(buffer, '\n') + 1; start == 0 {
				return s.long(buffer)
			} else if len(buffer)-start > s.longest {
				return s.give(buffer, start), nil
			}
		}
		buffer = s.read(buffer)
	}
}

// cut is where a section ends: behind the line in which it reaches its length,
// 0 when that is not there yet. What was searched before is not again.
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

// read appends what the stream gives.
func (s *sections) read(buffer []byte) []byte {
	const piece = 256 << 10
	if cap(buffer)-len(buffer) < piece {
		buffer = append(make([]byte, 0, max(2*cap(buffer), s.wanted+2*piece)), buffer...)
	}
	n, err := s.r.Read(buffer[len(buffer) : len(buffer)+piece])
	s.err = err
	return buffer[:len(buffer)+n]
}

// give gives out what lies before end, and keeps the rest.
func (s *sections) give(buffer []byte, end int) section {
	s.rest = bytes.Clone(buffer[end:])
	sec := section{at: s.at, line: s.line, data: buffer[:end], size: int64(end)}
	s.at += sec.size
	s.line += int64(bytes.Count(sec.data, []byte{'\n'}))
	return sec
}

// last gives out what is left when the stream has ended: a last line need not
// be ended by the end of the content, but one that an error cut off is no line.
func (s *sections) last(buffer []byte) (section, error) {
	end := len(buffer)
	if !errors.Is(s.err, io.EOF) {
		end = bytes.LastIndexByte(buffer, '\n') + 1
	}
	if end == 0 {
		return section{}, s.err
	}
	sec := s.give(buffer, end)
	s.rest = nil
	return sec, nil
}

// long gives out a line that is too long, of which the buffer holds the beginning.
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
