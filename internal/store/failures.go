package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// failureRow repeats the key of a result that is a failure, and what failures are counted
// by. Failures are few: who looks for them need not read the results between them, and
// the results need no index that each of them pays for. The row is written, taken back
// and deleted in the transaction of the result.
type failureRow struct {
	TransferID int64 `gorm:"primaryKey;autoIncrement:false"`
	StepNo     int   `gorm:"primaryKey;autoIncrement:false"`
	FileNo     int64 `gorm:"primaryKey;autoIncrement:false"`
	Outcome    tasks.Outcome
	Code       string
	Message    string // see tasks.FailureMessage
	Kind       int64  // kindOf the three fields above
	EndedAt    time.Time
}

// TableName names the table to GORM.
func (failureRow) TableName() string { return "failures" }

// kindOf is a number for an outcome, a code and a message, by which the database groups
// failures: by the texts themselves it takes four times as long. Others do not have the same:
// it is a part of a cryptographic hash.
func kindOf(o tasks.Outcome, code, message string) int64 {
	text := make([]byte, 0, 400)
	for _, part := range []string{string(o), code, message} {
		text = append(binary.AppendUvarint(text, uint64(len(part))), part...)
	}
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:8])) // all bits are of use
}

func (r *failureRow) size() int { return 100 + len(r.Code) + len(r.Message) }

func failureColumns() []db.BulkColumn[failureRow] {
	return []db.BulkColumn[failureRow]{
		{Name: "transfer_id", Write: func(l db.Literals, r *failureRow) db.Literals { return l.Number(r.TransferID) }},
		{Name: "step_no", Write: func(l db.Literals, r *failureRow) db.Literals { return l.Number(int64(r.StepNo)) }},
		{Name: "file_no", Write: func(l db.Literals, r *failureRow) db.Literals { return l.Number(r.FileNo) }},
		{Name: "outcome", Write: func(l db.Literals, r *failureRow) db.Literals { return l.Text(string(r.Outcome)) }},
		{Name: "code", Write: func(l db.Literals, r *failureRow) db.Literals { return l.Text(r.Code) }},
		{Name: "message", Write: func(l db.Literals, r *failureRow) db.Literals { return l.Text(r.Message) }},
		{Name: "kind", Write: func(l db.Literals, r *failureRow) db.Literals { return l.Number(r.Kind) }},
		{Name: "ended_at", Write: func(l db.Literals, r *failureRow) db.Literals { return l.TimeNumber(r.EndedAt) }},
	}
}

// insertFailures notes those results that are failures.
func insertFailures(tx *gorm.DB, results []resultRecord) error {
	var rows []failureRow
	for i := range results {
		r := &results[i]
		if r.End.Outcome.IsFailure() {
			message := tasks.FailureMessage(r.End.Error, r.End.ExitCode)
			rows = append(rows, failureRow{
				TransferID: r.TransferID, StepNo: r.StepNo, FileNo: r.FileNo, Outcome: r.End.Outcome, Code: r.End.Code,
				Message: message, Kind: kindOf(r.End.Outcome, r.End.Code, message), EndedAt: r.End.EndedAt,
			})
		}
	}
	if err := db.BulkInsert(tx, "failures", failureColumns(), rows, (*failureRow).size); err != nil {
		return fmt.Errorf("insert failures: %w", err)
	}
	return nil
}

// FailureGroups counts the failures that a filter selects by step, outcome, code and
// message, the most frequent first, up to limit groups. It counts those among the first
// tasks.MaxCountedFailures of each step.
func (s *Store) FailureGroups(ctx context.Context, transfer int64, f tasks.ResultSelector, limit int) ([]tasks.FailureGroup, error) {
	return s.failureGroups(ctx, transfer, f, limit, tasks.MaxCountedFailures)
}

func (s *Store) failureGroups(
	ctx context.Context, transfer int64, f tasks.ResultSelector, limit, counted int,
) ([]tasks.FailureGroup, error) {
	var steps []struct {
		No       int
		Failures int64
	}
	q := s.db.Session(ctx).Model(&stepRow{}).Where("transfer_id = ? AND failed + error + timed_out <> 0", transfer)
	if f.Step != 0 {
		q = q.Where("no = ?", f.Step)
	}
	if err := q.Select("no, failed + error + timed_out AS failures").Order("no").Scan(&steps).Error; err != nil {
		return nil, fmt.Errorf("count failures: %w", err)
	}
	var groups []tasks.FailureGroup
	for _, step := range steps {
		some, err := s.failureGroupsOf(ctx, transfer, step.No, f, limit, counted, step.Failures > int64(counted))
		if err != nil {
			return nil, fmt.Errorf("count failures: %w", err)
		}
		groups = append(groups, some...)
	}
	slices.SortFunc(groups, func(a, b tasks.FailureGroup) int {
		return cmp.Or(cmp.Compare(b.Files, a.Files), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Example, b.Example))
	})
	groups = groups[:min(len(groups), limit)]
	numbers := make([]int64, len(groups))
	for i := range groups {
		numbers[i] = groups[i].Example
	}
	files, err := s.Files(ctx, transfer, tasks.NewRanges(numbers))
	if err != nil {
		return nil, err
	}
	paths := pathsOf(files)
	for i := range groups {
		groups[i].Path = paths[groups[i].Example]
	}
	return groups, nil
}

// failureGroupsOf counts the failures of one step, when it has more than counted, the first
// of them. It looks for the last one that counts by itself: a query of the first so many within that
// which counts would copy them all.
func (s *Store) failureGroupsOf(
	ctx context.Context, transfer int64, step int, f tasks.ResultSelector, limit, counted int, more bool,
) ([]tasks.FailureGroup, error) {
	from := resultSource{filter: f}
	q := from.where(s.db.Session(ctx).Table("failures k")).Where("k.transfer_id = ? AND k.step_no = ?", transfer, step)
	if f.File == 0 && more {
		var last []int64
		err := s.db.Session(ctx).Model(&failureRow{}).Where("transfer_id = ? AND step_no = ?", transfer, step).
			Order("transfer_id, step_no, file_no").Offset(counted-1).Limit(1).Pluck("file_no", &last).Error
		if err != nil {
			return nil, err
		}
		if len(last) > 0 {
			q = q.Where("k.file_no <= ?", last[0])
		}
	}
	var rows []struct {
		Of          failureRow `gorm:"embedded"`
		Files       int64
		Example     int64
		First, Last aggregateTime
	}
	kinds := q.Select("COUNT(*) AS files, MIN(k.file_no) AS example, MIN(k.ended_at) AS first, MAX(k.ended_at) AS last").
		Group("k.kind").Order("files DESC, example").Limit(limit)
	err := s.db.Session(ctx).Table("(?) AS g", kinds). // the example says what its kind has in common
								Joins("JOIN failures f ON f.transfer_id = ? AND f.step_no = ? AND f.file_no = g.example", transfer, step).
								Select("f.outcome, f.code, f.message, g.files, g.example, g.first, g.last").
								Order("g.files DESC, g.example").Scan(&rows).Error
	groups := make([]tasks.FailureGroup, len(rows))
	for i := range rows {
		r := &rows[i]
		groups[i] = tasks.FailureGroup{
			Step: step, Outcome: r.Of.Outcome, Code: r.Of.Code, Message: r.Of.Message,
			Files: r.Files, Example: r.Example, First: r.First.UTC(), Last: r.Last.UTC(),
		}
	}
	return groups, err
}

func pathsOf(files []tasks.File) map[int64]string {
	paths := make(map[int64]string, len(files))
	for i := range files {
		paths[files[i].No] = files[i].Path
	}
	return paths
}
