package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/balerhq/baler/tasks"
)

// csvTitles are the columns of CSV, which always are these.
func csvTitles() []string {
	return []string{
		"transfer", "file", "path", "parent", "member", "step", "outcome", "exit_code", "code", "output", "error", "truncated", "facts",
		"attempt", "worker", "started_at", "ended_at", "reused_from", "reused_file", "ran_at",
	}
}

// writeCSV writes the results of a transfer. Paths keep their bytes.
func writeCSV(w io.Writer, s *Source) (c RowTotals, err error) {
	out := csv.NewWriter(w)
	if err := out.Write(csvTitles()); err != nil {
		return c, err
	}
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	unlessZero := func(n int64) string {
		if n == 0 {
			return ""
		}
		return number(n)
	}
	c.Results, err = eachResult(s, func(r *tasks.ResultLine) error {
		return out.Write([]string{
			s.Transfer.UUID, number(r.File), bytesOr(r.PathBytes, r.Path), unlessZero(r.Parent), bytesOr(r.MemberBytes, r.Member), r.Step,
			string(r.Outcome), strconv.Itoa(r.ExitCode), r.Code, r.Output, r.Error, strconv.FormatBool(r.Truncated), string(r.Facts),
			strconv.Itoa(r.Attempt), r.Worker, timeText(r.StartedAt), timeText(r.EndedAt), r.ReusedFrom, unlessZero(r.ReusedFile),
			timeText(r.RanAt),
		})
	})
	if err != nil {
		return c, err
	}
	out.Flush()
	return c, out.Error()
}

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// parquetRow is a row of Parquet. Strings are UTF-8 there: a path that is not has its bytes
// beside it.
type parquetRow struct {
	Transfer    string     `parquet:"transfer,dict"`
	File        int64      `parquet:"file"`
	Path        string     `parquet:"path"`
	PathBytes   []byte     `parquet:"path_bytes,optional"`
	Parent      *int64     `parquet:"parent,optional"`
	Member      *string    `parquet:"member,optional"`
	MemberBytes []byte     `parquet:"member_bytes,optional"`
	Step        string     `parquet:"step,dict"`
	Outcome     string     `parquet:"outcome,dict"`
	ExitCode    int64      `parquet:"exit_code"`
	Code        string     `parquet:"code,dict"`
	Output      string     `parquet:"output"`
	Error       string     `parquet:"error"`
	Truncated   bool       `parquet:"truncated"`
	Facts       string     `parquet:"facts,json"`
	Attempt     int64      `parquet:"attempt"`
	Worker      string     `parquet:"worker,dict"`
	StartedAt   time.Time  `parquet:"started_at,timestamp(microsecond)"`
	EndedAt     time.Time  `parquet:"ended_at,timestamp(microsecond)"`
	ReusedFrom  *string    `parquet:"reused_from,optional"`
	ReusedFile  *int64     `parquet:"reused_file,optional"`
	RanAt       *time.Time `parquet:"ran_at,optional,timestamp(microsecond)"`
}

// A group of rows is in memory until it is written: it ends with so many rows or bytes.
const (
	groupRows  = 50_000
	groupBytes = 16 << 20
)

// writeParquet writes the results of a transfer in groups of rows.
func writeParquet(w io.Writer, s *Source) (c RowTotals, err error) {
	out := parquet.NewGenericWriter[parquetRow](w,
		parquet.Compression(&parquet.Zstd), parquet.CreatedBy("baler", "", ""), parquet.PageBufferSize(1<<20), parquet.WriteBufferSize(64<<10))
	rows, bytes := 0, 0
	c.Results, err = eachResult(s, func(r *tasks.ResultLine) error {
		row := newParquetRow(s.Transfer.UUID, r)
		if _, err := out.Write([]parquetRow{row}); err != nil {
			return err
		}
		rows++
		bytes += 100 + len(r.Path) + len(r.Output) + len(r.Error) + len(r.Facts)
		if rows < groupRows && bytes < groupBytes {
			return nil
		}
		rows, bytes = 0, 0
		return out.Flush()
	})
	if err != nil {
		return c, err
	}
	if err := out.Close(); err != nil {
		return c, fmt.Errorf("end the Parquet file: %w", err)
	}
	return c, nil
}

func newParquetRow(transfer string, r *tasks.ResultLine) parquetRow {
	return parquetRow{
		Transfer: transfer, File: r.File, Path: r.Path, PathBytes: r.PathBytes, Parent: unlessZero(r.Parent), Member: unlessZero(r.Member),
		MemberBytes: r.MemberBytes, Step: r.Step, Outcome: string(r.Outcome), ExitCode: int64(r.ExitCode), Code: r.Code, Output: r.Output,
		Error: r.Error, Truncated: r.Truncated, Facts: string(r.Facts), Attempt: int64(r.Attempt), Worker: r.Worker,
		StartedAt: r.StartedAt, EndedAt: r.EndedAt, ReusedFrom: unlessZero(r.ReusedFrom), ReusedFile: unlessZero(r.ReusedFile),
		RanAt: unlessZero(r.RanAt),
	}
}

// unlessZero is nil for a value that is not there.
func unlessZero[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
