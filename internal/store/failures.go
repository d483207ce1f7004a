package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
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
	EndedUs    int64  // a number, of which the database finds the first and the last in half the time
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
		{Name: "ended_us", Write: func(l db.Literals, r *failureRow) db.Literals { return l.Number(r.EndedUs) }},
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
				Message: message, Kind: kindOf(r.End.Outcome, r.End.Code, message), EndedUs: r.End.EndedAt.UnixMicro(),
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
	ofSteps := make([][]tasks.FailureGroup, len(steps))
	counting, within := errgroup.WithContext(ctx) // a person waits for the slowest step, not for all in turn
	counting.SetLimit(stepsCountedAtOnce)
	for i, step := range steps {
		counting.Go(func() (err error) {
			ofSteps[i], err = s.failureGroupsOf(within, transfer, step.No, f, limit, counted, step.Failures > int64(counted))
			return err
		})
	}
	if err := counting.Wait(); err != nil {
		return nil, fmt.Errorf("count failures: %w", err)
	}
	groups := slices.Concat(ofSteps...)
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

// stepsCountedAtOnce is how many connections one count of failures takes at most.
const stepsCountedAtOnce = 2

// failureGroupsOf counts the failures of one step, when it has more than counted, the first
// of them.
func (s *Store) failureGroupsOf(
	ctx context.Context, transfer int64, step int, f tasks.ResultSelector, limit, counted int, more bool,
) ([]tasks.FailureGroup, error) {
	from := resultSource{filter: f}
	q := s.db.Session(ctx).Table("failures k").Where("k.transfer_id = ? AND k.step_no = ?", transfer, step)
	switch {
	case f.File != 0 || !more:
		q = from.where(q)
	case selectsAllFailures(f):
		// They are read once: the database copies the three columns that are counted.
		first := q.Select("k.kind, k.file_no, k.ended_us").Order("k.transfer_id, k.step_no, k.file_no").Limit(counted)
		q = s.db.Session(ctx).Table("(?) AS k", first)
	default:
		// The last one that counts is looked for by itself: a query of the first so many within that
		// which counts would copy all that the filter reads.
		var last []int64
		err := s.db.Session(ctx).Model(&failureRow{}).Where("transfer_id = ? AND step_no = ?", transfer, step).
			Order("transfer_id, step_no, file_no").Offset(counted-1).Limit(1).Pluck("file_no", &last).Error
		if err != nil {
			return nil, err
		}
		if q = from.where(q); len(last) > 0 {
			q = q.Where("k.file_no <= ?", last[0])
		}
	}
	var rows []struct {
		Of          failureRow `gorm:"embedded"`
		Files       int64
		Example     int64
		First, Last int64
	}
	kinds := q.Select("COUNT(*) AS files, MIN(k.file_no) AS example, MIN(k.ended_us) AS first, MAX(k.ended_us) AS last").
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
			Files: r.Files, Example: r.Example, First: time.UnixMicro(r.First).UTC(), Last: time.UnixMicro(r.Last).UTC(),
		}
	}
	return groups, err
}

// selectsAllFailures reports whether a selector has no condition on the failures of a step.
func selectsAllFailures(f tasks.ResultSelector) bool {
	left := func(o tasks.Outcome) bool { return !slices.Contains(f.Outcomes, o) }
	if len(f.Outcomes) > 0 && slices.ContainsFunc(failuresAmong(nil), left) {
		return false
	}
	f.Step, f.Outcomes = 0, nil
	return f.Empty()
}

func pathsOf(files []tasks.File) map[int64]string {
	paths := make(map[int64]string, len(files))
	for i := range files {
		paths[files[i].No] = files[i].Path
	}
	return paths
}
