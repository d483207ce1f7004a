package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/balerhq/baler/internal/db"
	"github.com/balerhq/baler/tasks"
)

// unsuccessful are the outcomes after which a run tries a file again.
func unsuccessful() []tasks.Outcome {
	return []tasks.Outcome{tasks.OutcomeFailed, tasks.OutcomeError, tasks.OutcomeTimedOut, tasks.OutcomeCanceled}
}

// stepsWithFailures lists the steps of some transfers that have results to try again.
func stepsWithFailures(q *gorm.DB) (steps []stepRow, err error) {
	err = q.Where("failed + error + timed_out + canceled > 0").Order("transfer_id, no").Find(&steps).Error
	if err != nil {
		return nil, fmt.Errorf("look for steps with failures: %w", err)
	}
	return steps, nil
}

// tableOfFailed is the smallest table with all results of a step, or several, that are to
// be tried again.
func tableOfFailed(canceled int64) string {
	if canceled == 0 {
		return failureRow{}.TableName()
	}
	return resultRecord{}.TableName()
}

// FailedFiles returns which of the files, given by transfer, have a result that is to be
// tried again, or were the source of an emitted file that has: it comes again with them.
func (s *Store) FailedFiles(ctx context.Context, numbers map[int64][]int64) (map[tasks.FileKey]bool, error) {
	if len(numbers) == 0 {
		return map[tasks.FileKey]bool{}, nil
	}
	transfers := slices.Sorted(maps.Keys(numbers))
	steps, err := stepsWithFailures(s.db.Session(ctx).Where("transfer_id IN ?", transfers))
	if err != nil {
		return nil, err
	}
	failed := make(map[tasks.FileKey]bool)
	for _, step := range steps {
		slices.Sort(numbers[step.TransferID])
		var nos []int64
		q := s.db.Session(ctx).Table(tableOfFailed(step.Canceled)).
			Where("transfer_id = ? AND step_no = ? AND outcome IN ?", step.TransferID, step.No, unsuccessful())
		err := db.WhereInRanges(q, "file_no", tasks.NewRanges(numbers[step.TransferID])).Pluck("file_no", &nos).Error
		if err != nil {
			return nil, fmt.Errorf("look for files that failed: %w", err)
		}
		tops, err := failedEmitted(s.db.Session(ctx), &step, tasks.NewRanges(numbers[step.TransferID]))
		if err != nil {
			return nil, err
		}
		for _, no := range append(nos, tops...) {
			failed[tasks.FileKey{Transfer: step.TransferID, File: no}] = true
		}
	}
	return failed, nil
}

// failedEmitted returns those of the files from the sources of which emitted files failed at
// a step.
func failedEmitted(q *gorm.DB, step *stepRow, numbers tasks.Ranges) (tops []int64, err error) {
	q = q.Table(tableOfFailed(step.Canceled)+" r").
		Joins("JOIN emitted_files e ON e.transfer_id = r.transfer_id AND e.file_no = r.file_no").
		Where("r.transfer_id = ? AND r.step_no = ? AND r.outcome IN ?", step.TransferID, step.No, unsuccessful()).
		Where("EXISTS (SELECT 1 FROM transfers t WHERE t.id = ? AND t.emitted > 0)", step.TransferID)
	if err := db.WhereInRanges(q, "e.top_no", numbers).Distinct("e.top_no").Pluck("e.top_no", &tops).Error; err != nil {
		return nil, fmt.Errorf("look for emitted files that failed: %w", err)
	}
	return tops, nil
}

// AcceptFailures notes that a person accepts that files of a collection fail as they are,
// and what was made of them: runs try them again only when they have changed.
func (s *Store) AcceptFailures(ctx context.Context, runKey string, files []tasks.FileKey) error {
	numbers := make(map[int64][]int64)
	for _, f := range files {
		numbers[f.Transfer] = append(numbers[f.Transfer], f.File)
	}
	return s.db.Write(ctx, "accept failures", func(tx *gorm.DB, _ time.Time) error {
		for _, of := range sortedKeys(numbers) {
			for _, column := range []string{"file_no", "top_no"} {
				q := tx.Model(&seenFileRow{}).Where("run_key = ? AND transfer_id = ?", runKey, of)
				if err := db.WhereInRanges(q, column, tasks.NewRanges(numbers[of])).Update("accepted", true).Error; err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// OpenFailures counts, by transfer, the files of a collection whose newest result is a
// failure that was not accepted.
func (s *Store) OpenFailures(ctx context.Context, runKey string) (files map[int64]int64, err error) {
	steps, err := stepsWithFailures(s.db.Session(ctx).
		Where("transfer_id IN (?)", s.db.Session(ctx).Table("transfers").Select("id").Where("run_key = ?", runKey)))
	if err != nil {
		return nil, err
	}
	numbers, canceled := make(map[int64][]int), make(map[int64]int64)
	for _, step := range steps {
		numbers[step.TransferID] = append(numbers[step.TransferID], step.No)
		canceled[step.TransferID] += step.Canceled
	}
	files = make(map[int64]int64)
	for _, of := range sortedKeys(numbers) {
		var n int64
		err := s.db.Session(ctx).Table(tableOfFailed(canceled[of])+" r").
			Joins("JOIN seen_files s ON s.run_key = ? AND s.transfer_id = r.transfer_id AND s.file_no = r.file_no", runKey).
			Where("s.accepted = ? AND s.missing = 0", false).
			Where("r.transfer_id = ? AND r.step_no IN ? AND r.outcome IN ?", of, numbers[of], unsuccessful()).
			Distinct("r.file_no").Count(&n).Error
		if err != nil {
			return nil, fmt.Errorf("count files that failed: %w", err)
		}
		if n > 0 {
			files[of] = n
		}
	}
	return files, nil
}
