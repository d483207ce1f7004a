package store

import (
	"errors"
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
