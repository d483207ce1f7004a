package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

const (
	maxLine     = 64 << 10         // bytes of a line
	lineTimeout = 60 * time.Second // to receive a line: a slower client is disconnected
	maxPath     = 4096             // bytes: what the database has room for, and the system opens

	firstYear, lastYear = 1000, 9999 // of the times that every database has
)

// fileLine is one line of a list of files.
type fileLine struct {
	Path      string     `json:"path" doc:"Absolute."`
	PathBytes []byte     `json:"path_bytes,omitempty" doc:"Base64, instead of a path that is not valid UTF-8."`
	Size      *int64     `json:"size,omitempty" minimum:"0" doc:"In bytes; left out: the server looks at the file."`
	MTime     *time.Time `json:"mtime,omitempty" doc:"When the file was modified; only with a size."`
}

// lineError is the first line that cannot be used.
type lineError struct {
	line   int64 // from 1
	reason string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.reason) }

// fileLines reads a stream of lines.
type fileLines struct {
	r        *bufio.Reader
	deadline func(time.Time) error
	line     int64
}

func newFileLines(body io.Reader, control *http.ResponseController) *fileLines {
	l := &fileLines{r: bufio.NewReaderSize(body, maxLine)}
	l.deadline = func(t time.Time) error {
		return errors.Join(control.SetReadDeadline(t), control.SetWriteDeadline(t.Add(lineTimeout)))
	}
	return l
}

// all yields the files of the stream. It ends with the first error: a *lineError for a
// line that cannot be used.
func (l *fileLines) all() iter.Seq2[ListedFile, error] {
	return func(yield func(ListedFile, error) bool) {
		for {
			f, err := l.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// deadlineEvery is the number of lines after which the deadline is set again. It is also
// set before each wait for data, so the client always has the full time to send a line.
const deadlineEvery = 256

// hasLine reports whether a whole line was received.
func (l *fileLines) hasLine() bool {
	waiting, _ := l.r.Peek(l.r.Buffered()) // no error: so much is there
	return bytes.IndexByte(waiting, '\n') >= 0
}

func (l *fileLines) next() (f ListedFile, err error) {
	for {
		if l.line%deadlineEvery == 0 || !l.hasLine() {
			if err := l.deadline(time.Now().Add(lineTimeout)); err != nil {
				return f, fmt.Errorf("set the deadline of a line: %w", err)
			}
		}
		text, err := l.r.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(bytes.TrimSpace(text)) > 0:
			// The last line may lack a line feed. A line that a broken connection has cut
			// is no JSON object.
		case errors.Is(err, bufio.ErrBufferFull):
			l.line++
			return f, &lineError{l.line, fmt.Sprintf("longer than %d bytes", maxLine)}
		case err != nil:
			return f, err
		}
		l.line++
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		f, reason := parseFileLine(text)
		if reason != "" {
			return f, &lineError{l.line, reason}
		}
		return f, nil
	}
}

func parseFileLine(text []byte) (f ListedFile, reason string) {
	var line fileLine
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&line); err != nil {
		return f, "not an object with path, path_bytes, size and mtime: " + jsonReason(err)
	}
	if rest, _ := io.ReadAll(d.Buffered()); len(bytes.TrimSpace(rest)) > 0 {
		return f, "more than one value"
	}
	path := line.Path
	if len(line.PathBytes) > 0 {
		path = string(line.PathBytes)
	}
	switch {
	case len(line.PathBytes) == 0 && replaced(text, path):
		return f, "path is not valid UTF-8: send its bytes as path_bytes"
	case path == "":
		return f, "path is missing"
	case len(path) > maxPath:
		return f, fmt.Sprintf("path is longer than %d bytes", maxPath)
	case !filepath.IsAbs(path):
		return f, "path is not absolute"
	case strings.ContainsRune(path, 0):
		return f, "path holds a NUL byte"
	case line.Size != nil && *line.Size < 0:
		return f, "size is negative"
	case line.MTime != nil && line.Size == nil:
		return f, "mtime without size"
	case line.MTime != nil && (line.MTime.UTC().Year() < firstYear || line.MTime.UTC().Year() > lastYear):
		return f, fmt.Sprintf("mtime is not between the years %d and %d", firstYear, lastYear)
	}
	f = ListedFile{File: tasks.File{Path: filepath.Clean(path)}, Stat: line.Size == nil}
	if line.Size != nil {
		f.Size = *line.Size
	}
	if line.MTime != nil {
		f.MTime = line.MTime.UTC()
	}
	return f, ""
}

// replaced reports whether decoding has put U+FFFD in place of what is no text: the name
// would be that of another file.
func replaced(raw []byte, decoded string) bool {
	const mark = "\uFFFD"
	return strings.Contains(decoded, mark) && !bytes.Contains(raw, []byte(mark)) && !bytes.Contains(bytes.ToLower(raw), []byte(`\ufffd`)) ||
		!utf8.Valid(raw)
}

// jsonReason is an error of encoding/json without names of Go types.
func jsonReason(err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Sprintf("%s is a %s", wrong.Field, wrong.Value)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return "it is cut off"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}
