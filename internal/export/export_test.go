package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/balerhq/baler/internal/export"
	"github.com/balerhq/baler/internal/testkit"
	"github.com/balerhq/baler/tasks"
)

var update = flag.Bool("update", false, "write the golden files")

var at = time.Date(2026, 11, 27, 10, 0, 0, 123456000, time.UTC)

func sequence[T any](values []T, err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

// odd is a transfer with what is hard to write.
func odd() *export.Source {
	rows := []tasks.ResultRow{
		{Result: tasks.Result{
			Step: 1, File: 1, Outcome: tasks.OutcomeSucceeded, Output: "a,\"b\"\r\n\x00<&>", Attempt: 1, Worker: "w", StartedAt: at, EndedAt: at,
			Facts: json.RawMessage(`{"z": 1e2, "a": [0.50, 12345678901234567890], "é": null}`),
		}, Path: "/in/\xff.txt"},
		{Result: tasks.Result{
			Step: 2, File: 2, Outcome: tasks.OutcomeFailed, ExitCode: -3, Code: "bad", Error: "no", Truncated: true, Attempt: 3, Worker: "w",
			StartedAt: at, EndedAt: at.Add(time.Second), Reused: &tasks.Reused{Transfer: "other", File: 7, RanAt: at},
		}, Path: "/tmp/m", Parent: 1, Name: "m\xfe"},
	}
	return &export.Source{
		At: at,
		Transfer: tasks.Transfer{
			UUID: "id", Name: "n", State: tasks.StateCompleted, Files: 2, Bytes: 5, Finished: 2, CreatedAt: at, EndedAt: at,
			Sources: []string{"/in\xff"},
			Steps:   []tasks.StepProgress{{Number: 1, Name: "first", Handler: "noop"}, {Number: 2, Name: "second", Handler: "noop"}},
		},
		Files: sequence([]tasks.File{
			{No: 1, Path: "/in/\xff.txt", Size: 5, MTime: at},
			{No: 2, Path: "/tmp/m", Emitted: &tasks.Emission{Parent: 1, Top: 1, Depth: 1, Step: 1, Name: "m\xfe", Base: "/tmp"}},
		}, nil),
		Results: sequence(rows, nil),
	}
}

func TestJSONLinesHaveEverything(t *testing.T) {
	var out bytes.Buffer
	counts, err := export.Write(&out, export.JSONLines, odd())
	testkit.Must(t, err)
	testkit.Golden(t, "testdata/odd.jsonl", out.String(), *update)
	if counts.Files != 2 || counts.Results != 2 || !strings.HasPrefix(counts.Digest, "sha256:") {
		t.Errorf("wrote %+v", counts)
	}
	// Databases keep facts in their own ways.
	other := odd()
	var rows []tasks.ResultRow
	for r := range other.Results {
		rows = append(rows, r)
	}
	rows[0].Facts = json.RawMessage(`{"a":[0.5,12345678901234567890],"z":100.0,"é":null}`)
	other.Results, other.At = sequence(rows, nil), at.Add(time.Hour)
	same, err := export.Write(&bytes.Buffer{}, export.JSONLines, other)
	testkit.Must(t, err)
	if same.Digest != counts.Digest {
		t.Error("the digest depends on how facts are written, or on the time of the export")
	}
	rows[0].Output += "x"
	changed, err := export.Write(&bytes.Buffer{}, export.JSONLines, other)
	testkit.Must(t, err)
	if changed.Digest == counts.Digest {
		t.Error("the digest does not depend on the output")
	}
}

func TestCSVHasARowForEachResult(t *testing.T) {
	var out bytes.Buffer
	_, err := export.Write(&out, export.CSV, odd())
	testkit.Must(t, err)
	rows, err := csv.NewReader(&out).ReadAll()
	testkit.Must(t, err)
	if len(rows) != 3 || rows[1][2] != "/in/\xff.txt" || rows[1][9] != "a,\"b\"\n\x00<&>" || rows[2][3] != "1" || rows[2][4] != "m\xfe" {
		t.Errorf("the rows are %q", rows)
	}
	if got := strings.Join(rows[2][5:], "|"); got != "second|failed|-3|bad||no|true|{}|3|w|2026-11-27T10:00:00.123456Z|"+
		"2026-11-27T10:00:01.123456Z|other|7|2026-11-27T10:00:00.123456Z" {
		t.Errorf("the second is %s", got)
	}
}

func TestParquetHasARowForEachResult(t *testing.T) {
	var out bytes.Buffer
	_, err := export.Write(&out, export.Parquet, odd())
	testkit.Must(t, err)
	type row struct {
		Path       string     `parquet:"path"`
		PathBytes  []byte     `parquet:"path_bytes,optional"`
		Parent     *int64     `parquet:"parent,optional"`
		Output     string     `parquet:"output"`
		Facts      string     `parquet:"facts"`
		ExitCode   int64      `parquet:"exit_code"`
		EndedAt    time.Time  `parquet:"ended_at,timestamp(microsecond)"`
		ReusedFrom *string    `parquet:"reused_from,optional"`
		RanAt      *time.Time `parquet:"ran_at,optional,timestamp(microsecond)"`
	}
	rows, err := parquet.Read[row](bytes.NewReader(out.Bytes()), int64(out.Len()))
	testkit.Must(t, err)
	if len(rows) != 2 || rows[0].Path != "/in/\uFFFD.txt" || string(rows[0].PathBytes) != "/in/\xff.txt" || rows[1].PathBytes != nil ||
		rows[0].Output != "a,\"b\"\r\n\x00<&>" || !strings.Contains(rows[0].Facts, "12345678901234567890") || rows[0].Parent != nil {
		t.Fatalf("the rows are %+v", rows)
	}
	if r := rows[1]; *r.Parent != 1 || r.ExitCode != -3 || !r.EndedAt.Equal(at.Add(time.Second)) || *r.ReusedFrom != "other" ||
		!r.RanAt.Equal(at) {
		t.Errorf("the second row is %+v", r)
	}
}

// Rows leave memory in groups, by number and by size.
func TestParquetIsWrittenInGroups(t *testing.T) {
	for _, c := range []struct {
		rows, output, groups int
	}{{120_000, 0, 3}, {40, 1 << 20, 3}} {
		s := odd()
		s.Results = func(yield func(tasks.ResultRow, error) bool) {
			for i := range c.rows {
				r := tasks.Result{Step: 1, File: int64(i + 1), Outcome: tasks.OutcomeSucceeded, StartedAt: at, EndedAt: at}
				r.Output = strings.Repeat("x", c.output)
				if !yield(tasks.ResultRow{Result: r, Path: "/p"}, nil) {
					return
				}
			}
		}
		var out bytes.Buffer
		counts, err := export.Write(&out, export.Parquet, s)
		testkit.Must(t, err)
		f, err := parquet.OpenFile(bytes.NewReader(out.Bytes()), int64(out.Len()))
		testkit.Must(t, err)
		if n := len(f.RowGroups()); n != c.groups || f.NumRows() != int64(c.rows) || counts.Results != int64(c.rows) {
			t.Errorf("%d rows in %d groups, %+v", f.NumRows(), n, counts)
		}
	}
}

// What cannot be read or written is an error in every format, and never a shorter export.
func TestNoExportIsShorterInSilence(t *testing.T) {
	lost := errors.New("lost")
	for _, f := range export.Formats() {
		s := odd()
		s.Results = sequence([]tasks.ResultRow{}, lost)
		if _, err := export.Write(&bytes.Buffer{}, f, s); !errors.Is(err, lost) {
			t.Errorf("%s of results that end early: %v", f, err)
		}
		s = odd()
		s.Results = sequence([]tasks.ResultRow{{Result: tasks.Result{Step: 1, File: 4, Code: tasks.CodeUnreadableRow, Error: "why"}}}, nil)
		if _, err := export.Write(&bytes.Buffer{}, f, s); err == nil || !strings.Contains(err.Error(), "file 4 at step first cannot be read") {
			t.Errorf("%s of an unreadable row: %v", f, err)
		}
		if _, err := export.Write(full{}, f, odd()); !errors.Is(err, errFull) {
			t.Errorf("%s to a full disk: %v", f, err)
		}
	}
	s := odd()
	s.Files = sequence([]tasks.File{}, lost)
	if _, err := export.Write(&bytes.Buffer{}, export.JSONLines, s); !errors.Is(err, lost) {
		t.Errorf("files that end early: %v", err)
	}
	if !slices.Contains(export.Formats(), export.Parquet) {
		t.Error("there is no Parquet")
	}
	if _, err := export.Write(&bytes.Buffer{}, "xml", odd()); err == nil {
		t.Error("there is XML")
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
