package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/internal/ledger"
	"github.com/balerhq/baler/tasks"
)

// Recorded reads which of the files have a result at a step.
func (s *Store) Recorded(ctx context.Context, transfer int64, step int, files tasks.Ranges) ([]ledger.ExistingResult, error) {
	var rows []resultRecord
	q := s.db.Session(ctx).Select("file_no", "batch_id", "outcome", "facts").
		Where("transfer_id = ? AND step_no = ?", transfer, step)
	if err := db.WhereInRanges(q, "file_no", files).Order("file_no").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("look up recorded files: %w", err)
	}
	recorded := make([]ledger.ExistingResult, len(rows))
	for i := range rows {
		facts, err := decodeFacts(rows[i].End.Facts)
		if err != nil {
			return nil, err
		}
		recorded[i] = ledger.ExistingResult{File: rows[i].FileNo, Batch: rows[i].End.BatchID, Outcome: rows[i].End.Outcome, Facts: facts}
	}
	return recorded, nil
}

// RecordedFiles tells which of the files have a result at a step.
func (s *Store) RecordedFiles(ctx context.Context, transfer int64, step int, files tasks.Ranges) (tasks.Ranges, error) {
	var numbers []int64
	q := s.db.Session(ctx).Model(&resultRecord{}).Where("transfer_id = ? AND step_no = ?", transfer, step)
	if err := db.WhereInRanges(q, "file_no", files).Order("file_no").Pluck("file_no", &numbers).Error; err != nil {
		return nil, fmt.Errorf("look up recorded files: %w", err)
	}
	return tasks.NewRanges(numbers), nil
}

// Facts reads the facts that the steps before a step found of the files; a later step's
// word wins. Files of which nothing is known are left out.
func (s *Store) Facts(ctx context.Context, transfer int64, before int, files tasks.Ranges) (map[int64]map[string]any, error) {
	var rows []resultRecord
	q := s.db.Session(ctx).Select("file_no", "step_no", "facts").
		Where("transfer_id = ? AND facts IS NOT NULL", transfer)
	steps := stepsBefore(min(before, maxListedSteps))
	if before > maxListedSteps {
		all, err := s.stepNumbers(ctx, transfer)
		if err != nil {
			return nil, err
		}
		steps = slices.DeleteFunc(all, func(step int) bool { return step >= before })
	}
	q = q.Where("step_no IN ?", steps)
	if err := db.WhereInRanges(q, "file_no", files).Order("step_no, file_no").Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	known := make(map[int64]map[string]any, len(rows))
	for i := range rows {
		facts, err := decodeFacts(rows[i].End.Facts)
		if err != nil {
			return nil, err
		}
		if known[rows[i].FileNo] == nil {
			known[rows[i].FileNo] = facts
			continue
		}
		maps.Copy(known[rows[i].FileNo], facts)
	}
	return known, nil
}

// maxListedSteps is how many steps a query lists by number without asking which there are.
const maxListedSteps = 1000

// stepNumbers are the numbers of a transfer's steps.
func (s *Store) stepNumbers(ctx context.Context, transfer int64) (numbers []int, err error) {
	if err := s.db.Session(ctx).Model(&stepRow{}).Where("transfer_id = ?", transfer).Pluck("no", &numbers).Error; err != nil {
		return nil, fmt.Errorf("list steps: %w", err)
	}
	return numbers, nil
}

// stepsBefore lists the numbers of the steps before one, each by itself: of a range of steps,
// the database would read the results of all files.
func stepsBefore(step int) []int {
	steps := make([]int, max(step, 1)) // 0 is no step, and keeps the list from being empty
	for i := range steps {
		steps[i] = i
	}
	return steps
}

func decodeFacts(text *string) (map[string]any, error) {
	var facts map[string]any
	if text == nil {
		return facts, nil
	}
	if err := json.Unmarshal([]byte(*text), &facts); err != nil {
		return nil, fmt.Errorf("%w: the facts of a result are not JSON: %w", db.ErrMisread, err)
	}
	return facts, nil
}

// Results lists up to limit results of a transfer after a key, in the order
// of steps and files. A page costs the same however far behind it is.
func (s *Store) Results(
	ctx context.Context, transfer int64, f tasks.ResultSelector, after tasks.ResultKey, limit int,
) ([]tasks.ResultRow, error) {
	return s.results(ctx, func(q *gorm.DB) *gorm.DB { return q }, transfer, f, after, limit)
}

// results lists those results that restrict leaves.
func (s *Store) results(
	ctx context.Context, restrict func(*gorm.DB) *gorm.DB, transfer int64, f tasks.ResultSelector, after tasks.ResultKey, limit int,
) ([]tasks.ResultRow, error) {
	from, err := chooseSource(s.db.Session(ctx), transfer, f)
	if err != nil {
		return nil, err
	}
	var rows []resultRecord
	for _, step := range from.steps {
		if step < after.Step || len(rows) == limit {
			continue
		}
		behind := int64(0)
		if step == after.Step {
			behind = after.File
		}
		// A query for each step, whatever the number of steps: the database reads the
		// results after a key of each, and never a step from its beginning.
		q := restrict(from.results(s.db.Session(ctx), s.db.Dialect())).
			Where("k.transfer_id = ? AND k.step_no = ? AND k.file_no > ?", transfer, step, behind)
		var page []resultRecord
		if err := findEach(q.Order("k.file_no").Limit(limit-len(rows)), &page, unreadableResult); err != nil {
			return nil, fmt.Errorf("list results: %w", err)
		}
		rows = append(rows, page...)
	}
	return s.withPaths(ctx, transfer, rows)
}

func (s *Store) withPaths(ctx context.Context, transfer int64, rows []resultRecord) ([]tasks.ResultRow, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	numbers := make([]int64, len(rows))
	for i := range rows {
		numbers[i] = rows[i].FileNo
	}
	files, err := s.Files(ctx, transfer, tasks.NewRanges(numbers))
	if errors.Is(err, db.ErrMisread) {
		q := s.db.Session(ctx).Where("transfer_id = ?", transfer)
		files, err = s.filesOneByOne(ctx, transfer, db.WhereInRanges(q, "no", tasks.NewRanges(numbers)))
	}
	if err != nil {
		return nil, err
	}
	byNumber := make(map[int64]*tasks.File, len(files))
	for i := range files {
		byNumber[files[i].No] = &files[i]
	}
	lines := make([]tasks.ResultRow, len(rows))
	for i := range rows {
		r := &rows[i]
		lines[i] = tasks.ResultRow{Result: r.result()}
		f := byNumber[r.FileNo]
		if f == nil {
			continue
		}
		lines[i].Path = f.Path
		if e := f.Emitted; e != nil {
			lines[i].Parent, lines[i].Name = e.Parent, e.Name
		}
	}
	return lines, nil
}
