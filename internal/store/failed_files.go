package store

import (
	"context"
	"fmt"
	"maps"
	"slices"

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

// failedFiles returns which of the files, given by transfer, have a result that is to be
// tried again.
func (s *Store) failedFiles(ctx context.Context, numbers map[int64][]int64) (map[tasks.FileKey]bool, error) {
	if len(numbers) == 0 {
		return nil, nil //nolint:nilnil // none of no files
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
		q := s.db.Session(ctx).Model(&resultRecord{}).
			Where("transfer_id = ? AND step_no = ? AND outcome IN ?", step.TransferID, step.No, unsuccessful())
		err := db.WhereInRanges(q, "file_no", tasks.NewRanges(numbers[step.TransferID])).Pluck("file_no", &nos).Error
		if err != nil {
			return nil, fmt.Errorf("look for files that failed: %w", err)
		}
		for _, no := range nos {
			failed[tasks.FileKey{Transfer: step.TransferID, File: no}] = true
		}
	}
	return failed, nil
}
