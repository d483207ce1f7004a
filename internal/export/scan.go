package export

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"

	"github.com/balerhq/baler/tasks"
)

// maxLine is the longest line that is read: far above a result with its output, facts and escapes.
const maxLine = 64 << 20

// BrokenLine is a line that is not what Write has written.
type BrokenLine struct { //nolint:errname // it is one line of several
	Line   int64 // from 1
	Reason string
}

func (b BrokenLine) Error() string { return fmt.Sprintf("line %d: %s", b.Line, b.Reason) }

// Record is what a line has: one of these.
type Record struct {
	Transfer *tasks.Transfer
	File     *tasks.File
	Result   *tasks.Result
	End      *RowTotals // of the transfer
}

// Scan reads JSON lines as Write writes them, one transfer after the other. It yields each
// line that is as it should be, and each other one as a BrokenLine; any other error is one of
// reading, and ends it.
func Scan(r io.Reader) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		s := scanner{in: bufio.NewReaderSize(r, 256<<10)}
		for {
			text, err := s.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			record, err := s.read(text)
			if err != nil {
				s.spoilt = true
				err = BrokenLine{s.line, err.Error()}
			}
			if !yield(record, err) {
				return
			}
		}
		if s.of != nil {
			yield(Record{}, BrokenLine{s.line, fmt.Sprintf("the last line of transfer %s is missing: the export is not complete", s.of.UUID)})
		} else if s.line == 0 {
			yield(Record{}, BrokenLine{1, "there is no line"})
		}
	}
}

// scanner knows where in a transfer it is.
type scanner struct {
	in      *bufio.Reader
	line    int64
	of      *tasks.Transfer // nil between two transfers
	steps   map[string]int
	files   int64
	results int64
	last    tasks.ResultKey
	sum     hash.Hash
	spoilt  bool // a line of the transfer was broken: its digest says nothing new
}

// next reads a line without its end.
func (s *scanner) next() ([]byte, error) {
	var line []byte
	for {
		part, err := s.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(line) <= maxLine:
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("line %d is longer than %d bytes", s.line+1, maxLine)
		case errors.Is(err, io.EOF) && len(line) > 0:
		case err != nil:
			return nil, err
		}
		s.line++
		return bytes.TrimSuffix(line, []byte("\n")), nil
	}
}

func (s *scanner) read(text []byte) (r Record, err error) {
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return r, fmt.Errorf("it is not JSON: %w", err)
	}
	if s.of == nil && kind.Type != typeTransfer {
		return r, fmt.Errorf("it has the type %q, and a transfer begins with the type %q", kind.Type, typeTransfer)
	}
	if kind.Type != typeEnd && s.sum != nil && s.of != nil {
		_, _ = s.sum.Write(append(text, '\n')) // a hash never fails
	}
	switch kind.Type {
	case typeTransfer:
		r.Transfer, err = s.begin(text)
	case typeFile:
		r.File, err = s.file(text)
	case typeResult:
		r.Result, err = s.result(text)
	case typeEnd:
		r.End, err = s.end(text)
	default:
		err = fmt.Errorf("it has the unknown type %q", kind.Type)
	}
	return r, err
}

func (s *scanner) begin(text []byte) (*tasks.Transfer, error) {
	var cut error
	if s.of != nil {
		cut = fmt.Errorf("the last line of transfer %s is missing before it", s.of.UUID)
	}
	var l transferLine
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, errors.Join(cut, fmt.Errorf("it is no transfer: %w", err))
	}
	if l.Version != Version {
		return nil, fmt.Errorf("it has version %d, and this program reads version %d", l.Version, Version)
	}
	t := l.transfer()
	*s = scanner{in: s.in, line: s.line, of: &t, steps: make(map[string]int, len(t.Steps)), sum: sha256.New()}
	_, _ = s.sum.Write(append(text, '\n')) // a hash never fails
	for _, step := range t.Steps {
		s.steps[step.Name] = step.Number
	}
	if !t.State.Ended() {
		return nil, fmt.Errorf("transfer %s was exported while it was %s: export it again when it has ended", t.UUID, t.State)
	}
	return &t, cut
}

func (s *scanner) file(text []byte) (*tasks.File, error) {
	var l fileLine
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("it is no file: %w", err)
	}
	s.files++
	if l.File != s.files {
		expected := s.files
		s.files = l.File
		return nil, fmt.Errorf("it has file %d, and file %d comes next", l.File, expected)
	}
	f := l.file()
	return &f, nil
}

func (s *scanner) result(text []byte) (*tasks.Result, error) {
	var l resultLine
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("it is no result: %w", err)
	}
	s.results++
	step, known := s.steps[l.Step]
	key := tasks.ResultKey{Step: step, File: l.File}
	switch _, err := tasks.ParseOutcome(string(l.Outcome)); {
	case l.Transfer != s.of.UUID:
		return nil, fmt.Errorf("it belongs to transfer %s, not %s", l.Transfer, s.of.UUID)
	case !known:
		return nil, fmt.Errorf("the transfer has no step %q", l.Step)
	case l.File < 1 || l.File > s.of.Files:
		return nil, fmt.Errorf("the transfer has no file %d", l.File)
	case key.Compare(s.last) <= 0:
		return nil, fmt.Errorf("the result of file %d at step %s is there twice, or at the wrong place", l.File, l.Step)
	case err != nil:
		return nil, err
	}
	s.last = key
	r := tasks.Result{
		Step: step, File: l.File, Outcome: l.Outcome, ExitCode: l.ExitCode, Code: l.Code, Output: l.Output, Error: l.Error,
		Truncated: l.Truncated, Attempt: l.Attempt, Worker: l.Worker, StartedAt: l.StartedAt, EndedAt: l.EndedAt,
	}
	if string(l.Facts) != "{}" {
		r.Facts = l.Facts
	}
	if l.ReusedFrom != "" {
		r.Reused = &tasks.Reused{Transfer: l.ReusedFrom, File: l.ReusedFile, RanAt: l.RanAt}
	}
	return &r, nil
}

func (s *scanner) end(text []byte) (*RowTotals, error) {
	var l endLine
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("it is no end of a transfer: %w", err)
	}
	of, digest := s.of, digestOf(s.sum)
	s.of = nil
	switch {
	case l.Transfer != of.UUID:
		return nil, fmt.Errorf("it ends transfer %s, not %s", l.Transfer, of.UUID)
	case s.files != of.Files:
		return nil, fmt.Errorf("files of transfer %s: %d, but its first line says %d", of.UUID, s.files, of.Files)
	case s.files != l.Files:
		return nil, fmt.Errorf("files of transfer %s: %d, but %d were exported", of.UUID, s.files, l.Files)
	case s.results != l.Results:
		return nil, fmt.Errorf("results of transfer %s: %d, but %d were exported", of.UUID, s.results, l.Results)
	case digest != l.Digest && !s.spoilt:
		return nil, fmt.Errorf("the lines of transfer %s are not those that were exported: their digest is another", of.UUID)
	}
	return &RowTotals{Files: l.Files, Results: l.Results, Digest: l.Digest}, nil
}
