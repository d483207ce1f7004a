package handlers

import (
	"errors"
	"io"
	"math"
	"strings"

	"github.com/balerhq/baler/tasks"
)

// Chunk is the bytes of a job's file, open for reading: all of it, or the range
// of a larger file that the job is about. Reads count from the start of the range.
type Chunk struct {
	*io.SectionReader
	file ReadableFile
}

// OpenChunk opens the content of the job, as Open does: the range of a chunk, otherwise
// the whole file up to its end at the time of reading. The caller closes it.
func (j *Job) OpenChunk() (*Chunk, error) {
	f, err := j.open()
	if err != nil {
		return nil, err
	}
	offset, size := int64(0), int64(math.MaxInt64)
	if file := &j.spec.File; file.Part > 0 {
		offset, size = file.Offset, file.Size
	}
	return &Chunk{io.NewSectionReader(f, offset, size), f}, nil
}

// WholeLines reports whether the chunk still begins and ends where lines do. This
// detects a file rewritten after the split. The last line may lack its newline.
func (p *Chunk) WholeLines() (bool, error) {
	_, offset, size := p.Outer()
	if size == math.MaxInt64 || size == 0 {
		return true, nil
	}
	b := []byte{'\n'}
	if offset > 0 {
		if n, err := p.file.ReadAt(b, offset-1); n == 0 {
			return false, ignoreEOF(err)
		}
	}
	if b[0] != '\n' {
		return false, nil
	}
	if n, err := p.file.ReadAt(b, offset+size-1); n == 0 {
		return false, ignoreEOF(err)
	}
	if b[0] == '\n' {
		return true, nil
	}
	n, err := p.file.ReadAt(b, offset+size) // nothing, at the end of the file
	return n == 0, ignoreEOF(err)
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Replaced reports whether the chunk is of an object that is another version now than when it
// was split. Of a file WholeLines tells as much as can be known.
func (p *Chunk) Replaced(split *tasks.File) (bool, error) {
	if split.Part == 0 || split.Version == "" || strings.HasPrefix(split.Version, "sha256:") { // a long one is kept as its digest
		return false, nil
	}
	info, err := p.file.Stat()
	return err == nil && ObjectVersion(info) != split.Version, err
}

// Close closes the file.
func (p *Chunk) Close() error { return p.file.Close() }
