package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/balerhq/baler/tasks"
)

// mostRunning bounds the rows of batches that run, by worker and step.
const mostRunning = 500

// LiveWork reads what happens in a transfer just now: the batches that run, the files that take
// long, and up to limit failures. Of each step it reads the failures of the files with the highest numbers, as
// their order by time has no index: files are processed about in the order of their numbers.
func (s *Store) LiveWork(ctx context.Context, t *tasks.Transfer, limit int) (tasks.LiveWork, error) {
	a := tasks.LiveWork{Running: []tasks.RunningBatches{}, Failures: []tasks.RecentFailure{}}
	names := make(map[int]string, len(t.Steps))
	for i := range t.Steps {
		names[t.Steps[i].Number] = t.Steps[i].Name
	}
	var running []struct {
		HeldBy  string
		StepNo  int
		Batches int
	}
	err := s.db.Session(ctx).Model(&batchRow{}).Where("transfer_id = ? AND held_until > ?", t.ID, s.db.Stamp()).
		Select("held_by, step_no, COUNT(*) AS batches").
		Group("held_by, step_no").Order("held_by, step_no").Limit(mostRunning).Scan(&running).Error
	if err != nil {
		return a, fmt.Errorf("count batches that run: %w", err)
	}
	for _, r := range running {
		a.Running = append(a.Running, tasks.RunningBatches{Worker: r.HeldBy, Step: names[r.StepNo], Batches: r.Batches})
	}
	if a.Files, err = s.runningFiles(ctx, t.ID, names); err != nil {
		return a, err
	}
	rows, err := s.highestFailures(ctx, t, limit)
	if err != nil {
		return a, err
	}
	numbers := make([]int64, len(rows))
	for i := range rows {
		numbers[i] = rows[i].FileNo
	}
	files, err := s.Files(ctx, t.ID, tasks.NewRanges(numbers))
	if err != nil {
		return a, err
	}
	paths := pathsOf(files)
	for i := range rows {
		r := &rows[i]
		f := tasks.RecentFailure{
			File: r.FileNo, Path: paths[r.FileNo], Step: names[r.StepNo], Outcome: r.Outcome, Code: r.Code, Message: r.Message,
			EndedAt: time.UnixMicro(r.EndedUs).UTC(),
		}
		if !utf8.ValidString(f.Path) {
			f.Path, f.PathBytes = strings.ToValidUTF8(f.Path, "\uFFFD"), []byte(f.Path)
		}
		a.Failures = append(a.Failures, f)
	}
	return a, nil
}

func (s *Store) highestFailures(ctx context.Context, t *tasks.Transfer, limit int) (all []failureRow, err error) {
	for i := range t.Steps {
		if t.Steps[i].Failures() == 0 {
			continue
		}
		var rows []failureRow
		err := s.db.Session(ctx).Where("transfer_id = ? AND step_no = ?", t.ID, t.Steps[i].Number).
			Order("file_no DESC").Limit(limit).Find(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("list failures: %w", err)
		}
		all = append(all, rows...)
	}
	slices.SortStableFunc(all, func(a, b failureRow) int { return cmp.Compare(b.EndedUs, a.EndedUs) })
	return all[:min(len(all), limit)], nil
}
