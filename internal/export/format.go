package export

import (
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/balerhq/baler/tasks"
)

// Format is how a transfer is written.
type Format string

// The formats.
const (
	JSONLines Format = "jsonl"
	CSV       Format = "csv"
	Parquet   Format = "parquet"
)

// Formats lists the formats.
func Formats() []Format { return []Format{JSONLines, CSV, Parquet} }

// MediaType is the media type of the format.
func (f Format) MediaType() string {
	switch f {
	case CSV:
		return "text/csv; charset=utf-8; header=present"
	case Parquet:
		return "application/vnd.apache.parquet"
	case JSONLines:
	}
	return "application/x-ndjson"
}

// Source is a transfer to write. Its files and results are in order, and of one moment.
type Source struct {
	Transfer tasks.Transfer
	Files    iter.Seq2[tasks.File, error]
	Results  iter.Seq2[tasks.ResultRow, error]
	At       time.Time // that moment
}

// RowTotals says what was written.
type RowTotals struct {
	Files   int64 // 0 in formats that have none
	Results int64
	Digest  string // of JSON lines
}

// Write writes a transfer. After an error the output is not complete.
func Write(w io.Writer, f Format, s *Source) (RowTotals, error) {
	switch f {
	case JSONLines:
		return writeLines(w, s)
	case CSV:
		return writeCSV(w, s)
	case Parquet:
		return writeParquet(w, s)
	}
	return RowTotals{}, fmt.Errorf("unknown format %q", f)
}

// eachResult calls write with every result.
func eachResult(s *Source, write func(*tasks.ResultLine) error) (n int64, err error) {
	names := make(map[int]string, len(s.Transfer.Steps))
	for i := range s.Transfer.Steps {
		names[s.Transfer.Steps[i].Number] = s.Transfer.Steps[i].Name
	}
	for r, err := range s.Results {
		if err != nil {
			return n, err
		}
		if r.Code == tasks.CodeUnreadableRow {
			return n, fmt.Errorf("the result of file %d at step %s cannot be read from the database (%s): correct or delete its row, "+
				"or restore the database", r.File, names[r.Step], r.Error)
		}
		line := r.Line(names[r.Step])
		if err := write(&line); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
