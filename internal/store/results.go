package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

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
		Where("transfer_id = ? AND step_no < ? AND facts IS NOT NULL", transfer, before)
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

func decodeFacts(text *string) (map[string]any, error) {
	if text == nil {
		return nil, nil //nolint:nilnil // no facts are no facts
	}
	var facts map[string]any
	if err := json.Unmarshal([]byte(*text), &facts); err != nil {
		return nil, fmt.Errorf("read facts: %w", err)
	}
	return facts, nil
}

func applyFilter(q *gorm.DB, f tasks.ResultFilter) *gorm.DB {
	if f.Step > 0 {
		q = q.Where("step_no = ?", f.Step)
	}
	if len(f.Outcomes) > 0 {
		q = q.Where("outcome IN ?", f.Outcomes)
	}
	if f.File > 0 {
		q = q.Where("file_no = ?", f.File)
	}
	return q
}

// Results lists up to limit results of a transfer behind a key, in the order
// of steps and files. A page costs the same however far behind it is.
func (s *Store) Results(
	ctx context.Context, transfer int64, f tasks.ResultFilter, after tasks.ResultKey, limit int,
) ([]tasks.ResultRow, error) {
	return s.results(ctx, func(q *gorm.DB) *gorm.DB { return q }, transfer, f, after, limit)
}

// results lists those results that restrict leaves.
func (s *Store) results(
	ctx context.Context, restrict func(*gorm.DB) *gorm.DB, transfer int64, f tasks.ResultFilter, after tasks.ResultKey, limit int,
) ([]tasks.ResultRow, error) {
	page := func(limit int, where string, args ...any) (rows []resultRecord, err error) {
		q := restrict(applyFilter(s.db.Session(ctx), f)).Where("transfer_id = ?", transfer).Where(where, args...)
		if err := q.Order("step_no, file_no").Limit(limit).Find(&rows).Error; err != nil {
			return nil, fmt.Errorf("list results: %w", err)
		}
		return rows, nil
	}
	// Not one query with an OR: MySQL would read the step from its beginning.
	rows, err := page(limit, "step_no = ? AND file_no > ?", after.Step, after.File)
	if err != nil {
		return nil, err
	}
	if len(rows) < limit {
		further, err := page(limit-len(rows), "step_no > ?", after.Step)
		if err != nil {
			return nil, err
		}
		rows = append(rows, further...)
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
	if err != nil {
		return nil, err
	}
	paths := make(map[int64]string, len(files))
	for i := range files {
		paths[files[i].No] = files[i].Path
	}
	lines := make([]tasks.ResultRow, len(rows))
	for i := range rows {
		r := &rows[i]
		lines[i] = tasks.ResultRow{Result: r.End.result(r.StepNo, r.FileNo), Path: paths[r.FileNo]}
	}
	return lines, nil
}
