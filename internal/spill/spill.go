// Package spill sorts more records than memory should hold: those beyond a number of them go
// to temporary files.
package spill

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// Record is what is sorted, by its key.
type Record struct {
	Key, Value string
}

// Sorter collects records, and gives them back in the order of their keys. Those with equal
// keys come in any order. Close it.
type Sorter struct {
	limit  int
	memory []Record
	runs   []*os.File
}

// New makes a sorter that holds up to limit records in memory.
func New(limit int) *Sorter { return &Sorter{limit: limit} }

// Add adds a record.
func (s *Sorter) Add(r Record) error {
	if s.memory = append(s.memory, r); len(s.memory) < s.limit {
		return nil
	}
	return s.flush()
}

func (s *Sorter) sort() {
	slices.SortFunc(s.memory, func(a, b Record) int { return cmp.Compare(a.Key, b.Key) })
}

// flush writes the records in memory to a file of their own.
func (s *Sorter) flush() error {
	s.sort()
	f, err := os.CreateTemp("", "baler-sort-*")
	if err != nil {
		return fmt.Errorf("sort: %w", err)
	}
	s.runs = append(s.runs, f)
	w := bufio.NewWriter(f)
	for _, r := range s.memory {
		for _, part := range []string{r.Key, r.Value} {
			_, _ = w.Write(binary.AppendUvarint(nil, uint64(len(part)))) // Flush has the error
			_, _ = w.WriteString(part)
		}
	}
	s.memory = s.memory[:0]
	if err := w.Flush(); err != nil {
		return fmt.Errorf("sort: %w", err)
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// Close removes the temporary files.
func (s *Sorter) Close() error {
	var errs []error
	for _, f := range s.runs {
		errs = append(errs, f.Close(), os.Remove(f.Name()))
	}
	s.runs = nil
	return errors.Join(errs...)
}

// Sorted yields all records once. It ends with the first error.
func (s *Sorter) Sorted() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		s.sort()
		sources := sources{{memory: s.memory}}
		for _, f := range s.runs {
			sources = append(sources, &source{file: bufio.NewReader(f)})
		}
		for i, of := range slices.Backward(sources) {
			if err := of.next(); errors.Is(err, io.EOF) {
				sources = slices.Delete(sources, i, i+1)
			} else if err != nil {
				yield(Record{}, err)
				return
			}
		}
		for heap.Init(&sources); len(sources) > 0; {
			if !yield(sources[0].head, nil) {
				return
			}
			switch err := sources[0].next(); {
			case errors.Is(err, io.EOF):
				heap.Pop(&sources)
			case err != nil:
				yield(Record{}, err)
				return
			default:
				heap.Fix(&sources, 0)
			}
		}
	}
}

// source is one sorted run: in memory or in a file.
type source struct {
	memory []Record
	file   *bufio.Reader
	head   Record
}

// next reads the next record into head; io.EOF when there is none.
func (s *source) next() (err error) {
	if s.file == nil {
		if len(s.memory) == 0 {
			return io.EOF
		}
		s.head, s.memory = s.memory[0], s.memory[1:]
		return nil
	}
	if s.head.Key, err = s.text(); err != nil {
		return err
	}
	if s.head.Value, err = s.text(); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (s *source) text() (string, error) {
	n, err := binary.ReadUvarint(s.file)
	if err != nil {
		return "", err
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(s.file, text); err != nil {
		return "", fmt.Errorf("sort: %w", errors.Join(io.ErrUnexpectedEOF, err))
	}
	return string(text), nil
}

// sources is a heap by the keys of the heads.
type sources []*source

func (s sources) Len() int           { return len(s) }
func (s sources) Less(i, j int) bool { return s[i].head.Key < s[j].head.Key }
func (s sources) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

// Push implements heap.Interface.
func (s *sources) Push(x any) { *s = append(*s, x.(*source)) } //nolint:forcetypeassert // only sources are in it

// Pop implements heap.Interface.
func (s *sources) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
