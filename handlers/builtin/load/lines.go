package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/balerhq/baler/handlers"
	"github.com/balerhq/baler/internal/scan"
	"github.com/balerhq/baler/tasks"
)

// surveyBytes is how many bytes of a file are read at a time before a load begins. Often
// one line is enough.
const surveyBytes = 256 << 10

// errEnough ends a walk through files or lines early.
var errEnough = errors.New("enough was read")

// LineFiles are the files of lines, and where those are that lie in object storage. A load looks
// at them before it begins.
type LineFiles struct {
	Paths   []string
	Objects ObjectReader // nil: none of the paths is in object storage
}

// ObjectReader is object storage, as internal/storage has it.
type ObjectReader interface {
	scan.ObjectLister
	handlers.ObjectStore
}

// each emits the files among and below the paths, as Scan orders them.
func (s *LineFiles) each(ctx context.Context, emit func(tasks.File) error) error {
	_, err := scan.Scan(ctx, s.Paths, scan.Options{Objects: s.Objects}, emit)
	return err
}

// eachContent opens the files that have content, one after the other. visit may return errEnough.
func (s *LineFiles) eachContent(ctx context.Context, visit func(path string, content io.Reader) error) error {
	err := s.each(ctx, func(f tasks.File) error {
		if f.ScanError != "" || f.Size == 0 {
			return nil
		}
		return s.visit(f.Path, visit)
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// open opens a file; f is nil when it cannot be opened, which loading it reports.
func (s *LineFiles) open(path string) (f io.ReadSeekCloser, err error) {
	if !tasks.IsObject(path) {
		file, err := os.Open(path)
		if err != nil {
			return nil, nil //nolint:nilerr,nilnil // see above
		}
		return file, nil
	}
	object, err := s.Objects.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return nil, nil //nolint:nilnil // see above
	case err != nil: // the service does not answer, and without this object the columns would be others
		return nil, err
	}
	return object, nil
}

// visit passes damage at the beginning of compressed content to visit as a read error.
func (s *LineFiles) visit(path string, visit func(path string, content io.Reader) error) error {
	f, err := s.open(path)
	if err != nil || f == nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	content, err := OpenLines(f)
	switch {
	case errors.Is(err, ErrCompressed):
		err = visit(path, damaged{err})
	case err == nil:
		defer content.Close()
		err = visit(path, content)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// damaged is content of which nothing can be read.
type damaged struct{ err error }

func (d damaged) Read([]byte) (int, error) { return 0, d.err }

// eachLine calls see with each line that a load would parse, or with the problem of one
// that is too long for that. Damage ends the lines, and see gets it as the problem of a
// line that is nil: loading them reports it.
func eachLine(ctx context.Context, content io.Reader, keyword []byte, see func(line []byte, problem error) error) error {
	s := newSections(content, 1)
	s.wanted = surveyBytes
	var buffer []byte
	for {
		sec, err := s.next(buffer)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, ErrCompressed):
			return see(nil, err)
		case err != nil:
			return err
		case sec.tooLong:
			if err := see(nil, tooLong(sec.size)); err != nil {
				return err
			}
			continue
		}
		buffer = sec.data
		for line := range bytes.Lines(withoutMark(&sec)) {
			if line = bytes.TrimRight(line, "\r\n"); isSkipped(line, keyword) {
				continue
			}
			var problem error
			if len(line) > lineBytes {
				problem = tooLong(int64(len(line)))
			}
			if err := see(line, problem); err != nil {
				return err
			}
		}
	}
}

// withoutMark returns a section's data without the byte order mark at the beginning of
// the content.
func withoutMark(sec *section) []byte {
	if sec.at == 0 && sec.line == 1 {
		return bytes.TrimPrefix(sec.data, []byte("\ufeff"))
	}
	return sec.data
}

// isSkipped reports whether a line is skipped before it is parsed.
func isSkipped(line, keyword []byte) bool {
	return len(keyword) > 0 && !bytes.Contains(line, keyword) || len(bytes.TrimLeft(line, " \t\r")) == 0
}
