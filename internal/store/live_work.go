package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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
	running, err := s.runningBatches(ctx, t.ID)
	if err != nil {
		return a, err
	}
	a.Running = append(a.Running, countRunning(running, names)...)
	if a.Files, err = s.runningFiles(ctx, t.ID, running, names); err != nil {
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

// runningBatch is what LiveWork reads of a batch that runs.
type runningBatch struct {
	ID       int64
	HeldBy   string
	StepNo   int
	Progress *string
}

// runningBatches reads the batches of a transfer that run, the oldest first: at most as many as all
// workers have slots. The database neither counts nor sorts, because for either MariaDB looks up
// each open batch of the transfer through an index, which takes several times as long as to read the table.
func (s *Store) runningBatches(ctx context.Context, transfer int64) ([]runningBatch, error) {
	var running []runningBatch
	err := s.db.Session(ctx).Model(&batchRow{}).Select("id, held_by, step_no, progress").
		Where("transfer_id = ? AND held_until > ?", transfer, s.db.Stamp()).Scan(&running).Error
	if err != nil {
		return nil, fmt.Errorf("list batches that run: %w", err)
	}
	slices.SortFunc(running, func(a, b runningBatch) int { return cmp.Compare(a.ID, b.ID) })
	return running, nil
}

// countRunning counts batches that run by worker and step.
func countRunning(running []runningBatch, names map[int]string) []tasks.RunningBatches {
	type place struct {
		worker string
		step   int
	}
	counts := make(map[place]int)
	for i := range running {
		counts[place{running[i].HeldBy, running[i].StepNo}]++
	}
	places := slices.SortedFunc(maps.Keys(counts), func(a, b place) int {
		return cmp.Or(strings.Compare(a.worker, b.worker), cmp.Compare(a.step, b.step))
	})
	all := make([]tasks.RunningBatches, min(len(places), mostRunning))
	for i := range all {
		all[i] = tasks.RunningBatches{Worker: places[i].worker, Step: names[places[i].step], Batches: counts[places[i]]}
	}
	return all
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
