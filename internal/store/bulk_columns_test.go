package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// hostile is text of characters that could end a literal or begin an escape.
func hostile(r *rand.Rand) string {
	characters := []rune("'\"\\\x00\n\r\x1a%_?;-#/*`ab\u00e9\u4e2d\U0001F4E6\uFFFD \x7f")
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteRune(characters[r.IntN(len(characters))])
	}
	return b.String()
}

func hostileResult(r *rand.Rand, transfer, file int64) resultRecord {
	row := resultRecord{TransferID: transfer, StepNo: 1, FileNo: file, End: outcomeColumns{
		BatchID: r.Int64(), Outcome: tasks.Outcomes()[r.IntN(len(tasks.Outcomes()))], Attempt: 1, Worker: hostile(r),
		StartedAt: time.UnixMicro(r.Int64N(4e15)).UTC(), EndedAt: time.UnixMicro(r.Int64N(4e15)).UTC(),
	}}
	if r.IntN(2) == 0 { // else nothing but defaults
		facts := `{"a": "` + strings.Repeat("\\\\'", r.IntN(3)) + `"}`
		row.End.ExitCode, row.End.Truncated, row.End.Attempt = -r.IntN(300), r.IntN(2) == 0, r.IntN(9)
		row.End.Code, row.End.Output, row.End.Error, row.End.Facts = hostile(r), hostile(r), hostile(r), &facts
	}
	return row
}

func hostileFile(r *rand.Rand, transfer, file int64) fileRow {
	path := make([]byte, r.IntN(20))
	for i := range path {
		path[i] = byte(r.Uint32()) // not always text
	}
	row := fileRow{TransferID: transfer, No: file, Path: path, Size: r.Int64()}
	if r.IntN(2) == 0 {
		mtime, part := time.UnixMicro(r.Int64N(4e15)).UTC(), r.Int64()
		row.Mtime, row.ScanError, row.Part, row.ByteOffset, row.LineNo = &mtime, hostile(r), &part, &part, &part
	}
	return row
}

// Rows that BulkInsert writes are the same in the table as those that GORM
// inserts, whatever is in them and however the server is set up.
func TestBulkInsertWritesWhatTheFieldsSay(t *testing.T) {
	b := emptyEnv(t, db.MySQL)
	if _, err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*gorm.DB{"as it is": b.db} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var results []resultRecord
			var files []fileRow
			for i := range int64(300) {
				results = append(results, hostileResult(r, 1, i))
				files = append(files, hostileFile(r, 1, i))
			}
			for _, insert := range []func() error{
				func() error {
					return errors.Join(s.CreateInBatches(results, 50).Error, s.CreateInBatches(files, 50).Error)
				},
				func() error {
					return errors.Join(
						db.BulkInsert(s, "results", resultColumns(), results, (*resultRecord).size),
						db.BulkInsert(s, "files", fileColumns(), files, (*fileRow).size))
				},
			} {
				if err := insert(); err != nil {
					t.Fatal(err)
				}
				var gotResults []resultRecord
				var gotFiles []fileRow
				if err := s.Order("file_no").Find(&gotResults).Error; err != nil {
					t.Fatal(err)
				}
				if err := s.Order("no").Find(&gotFiles).Error; err != nil {
					t.Fatal(err)
				}
				same(t, gotResults, results)
				same(t, gotFiles, files)
				if err := s.Exec("DELETE FROM results").Error; err != nil {
					t.Fatal(err)
				}
				if err := s.Exec("DELETE FROM files").Error; err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// Results of one batch share most values, and the statement gives those once. The rows are
// the same as those that GORM inserts, whatever the texts and the session's collation are.
func TestBulkInsertOfRowsThatShareValues(t *testing.T) {
	b := emptyEnv(t, db.MySQL)
	if _, err := b.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 27, 10, 20, 30, 123456000, time.UTC)
	uniform := func(i int) outcomeColumns {
		return outcomeColumns{
			BatchID: 9, Outcome: tasks.OutcomeSucceeded, Attempt: 1, Worker: "Zoë's \\worker", StartedAt: at,
			EndedAt: at.Add(time.Duration(i) * time.Microsecond),
		}
	}
	facts := func(text func(i int) *string) func(i int) outcomeColumns {
		return func(i int) outcomeColumns {
			end := uniform(i)
			end.Facts = text(i)
			return end
		}
	}
	text := func(s string) *string { return &s }
	for name, end := range map[string]func(i int) outcomeColumns{
		"nothing but times": uniform,
		"facts":             facts(func(i int) *string { return text(fmt.Sprintf(`{"n": %d, "it's": "plain"}`, i)) }),
		"facts of some":     facts(func(i int) *string { return []*string{nil, text(`{}`)}[i%2] }),
		"texts of all kinds": facts(func(i int) *string {
			return []*string{text(`{"a": "\\"}`), text(`{"a": "é"}`), text(`{"a": "e"}`), nil}[i%4]
		}),
		"an error among them": func(i int) outcomeColumns {
			end := uniform(i)
			if i == 77 {
				end.Outcome, end.Code, end.Error, end.ExitCode, end.Truncated = tasks.OutcomeError, "exit", "it's 文", -1, true
			}
			return end
		},
		"long output": func(i int) outcomeColumns {
			end := uniform(i)
			end.Output = strings.Repeat("o", i*10)
			return end
		},
		"another attempt": func(i int) outcomeColumns {
			end := uniform(i)
			end.Attempt, end.EndedAt = 2, at
			return end
		},
	} {
		for _, collation := range []string{"utf8mb4_general_ci", "utf8mb4_unicode_ci"} {
			t.Run(name+", "+collation, func(t *testing.T) {
				rows := make([]resultRecord, 250)
				for i := range rows {
					rows[i] = resultRecord{TransferID: 3, StepNo: 1, FileNo: 5_000_000_000 + int64(i), End: end(i)}
				}
				var got []resultRecord
				err := b.db.Connection(func(s *gorm.DB) error {
					return errors.Join(
						s.Exec("SET NAMES utf8mb4 COLLATE "+collation).Error,
						db.BulkInsert(s, "results", resultColumns(), rows, (*resultRecord).size),
						s.Order("file_no").Find(&got).Error,
						s.Exec("DELETE FROM results").Error,
						s.Exec("SET NAMES utf8mb4 COLLATE utf8mb4_general_ci").Error)
				})
				if err != nil {
					t.Fatal(err)
				}
				same(t, got, rows)
			})
		}
	}
}

func same[R any](t *testing.T, got, want []R) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows of %T, want %d", len(got), want, len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("row %d:\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}
